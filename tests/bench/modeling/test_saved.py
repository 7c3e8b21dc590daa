"""What is saved is read back by transformers and PEFT, and answers the same."""

import errno
import os
import subprocess
import sys
import weakref

import pytest
import torch
from peft import PeftModel
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification, AutoTokenizer

from bench.errors import RunError, UnwritableError
from bench.modeling import saved
from bench.modeling.heads import Heads
from bench.modeling.saved import save_model
from bench.strategies.adapter import Adapter, AdapterHyperparameters

IDS = torch.tensor([[5, 6, 7, 8, 9]])


def logits(model, **inputs):
    with torch.no_grad():
        return model.eval()(input_ids=IDS, **inputs).logits


def moved(model):
    """With its trained weights elsewhere than where they were loaded."""
    with torch.no_grad():
        for weight in model.parameters():
            if weight.requires_grad:
                weight.add_(0.01)
    return model


def adapted(model, family, bits=32, **values):
    return moved(Adapter("lora", AdapterHyperparameters(learning_rate=1e-3, bits=bits, **values)).adapt(model, family))


def test_a_whole_model_is_read_by_transformers(decoder, tmp_path):
    model = moved(decoder.load())
    save_model(model, decoder.tokenizer, ["t"], tmp_path / "models" / "id")
    again = AutoModelForCausalLM.from_pretrained(tmp_path / "models" / "id")
    assert torch.equal(logits(model), logits(again)) and not torch.equal(logits(model), logits(decoder.load()))
    ids = AutoTokenizer.from_pretrained(tmp_path / "models" / "id")("a good film").input_ids
    assert ids == decoder.tokenizer("a good film").input_ids
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["id"]


@pytest.mark.parametrize("bits", [32, 8, 4])
def test_an_adapter_is_read_by_peft(decoder, tmp_path, bits):
    device = torch.device("cpu")
    model = adapted(decoder.load(bits=bits, device=device), "decoder", bits)
    before = logits(model)
    save_model(model, decoder.tokenizer, ["t"], tmp_path / "id")
    assert torch.equal(logits(model), before)  # saving changes nothing
    again = PeftModel.from_pretrained(decoder.load(bits=bits, device=device), tmp_path / "id")
    assert torch.equal(before, logits(again)) and not torch.equal(before, logits(decoder.load(bits=bits, device=device)))
    assert not list((tmp_path / "id").glob("model*.safetensors"))


def test_an_encoders_adapter_has_its_head(encoder, tmp_path):
    def base():
        torch.manual_seed(0)
        return encoder.load(AutoModelForSequenceClassification, num_labels=3)

    model = adapted(base(), "encoder")
    save_model(model, encoder.tokenizer, ["t"], tmp_path / "id")
    again = PeftModel.from_pretrained(base(), tmp_path / "id")
    assert torch.equal(logits(model), logits(again)) and logits(model).shape == (1, 3)


def test_of_several_heads_each_is_a_model(encoder, tmp_path):
    model = moved(Heads([encoder.load(AutoModelForSequenceClassification, num_labels=n) for n in (2, 3)]))
    save_model(model, encoder.tokenizer, ["two", "three"], tmp_path / "id")
    for head, name in enumerate(("two", "three")):
        again = AutoModelForSequenceClassification.from_pretrained(tmp_path / "id" / name)
        assert torch.equal(logits(model, head=head), logits(again))
    with pytest.raises(RunError, match="an adapter around several heads"):
        save_model(adapted(model, "encoder"), encoder.tokenizer, ["two", "three"], tmp_path / "other")


@pytest.mark.parametrize("kind", ["whole", "adapter"])
@pytest.mark.parametrize("writes", [True, False])
def test_of_several_processes_the_one_that_writes_holds_what_is_written(decoder, tmp_path, monkeypatch, kind, writes):
    """All put together what is shared out; of an adapter they leave the base apart, for which no machine need have room."""
    model, copies, held = decoder.load() if kind == "whole" else adapted(decoder.load(), "decoder"), [], []

    def put_together(weight):
        held.append(sum(copy() is not None for copy in copies))
        copy = weight.detach().clone()
        copies.append(weakref.ref(copy))
        return copy

    monkeypatch.setattr(saved, "full_tensor", put_together)
    save_model(model, decoder.tokenizer, ["t"], tmp_path / "id", writes=False)
    assert not copies and not list(tmp_path.iterdir())  # nothing is shared out
    monkeypatch.setattr(saved, "shared_out", lambda model: True)
    save_model(model, decoder.tokenizer, ["t"], tmp_path / "id", writes)
    assert len(copies) == sum(weight.requires_grad for weight in model.parameters())
    assert max(held) == (len(copies) - 1 if writes else 1) and (tmp_path / "id").exists() == writes


def test_a_full_disk_leaves_what_was_there(decoder, tmp_path, monkeypatch):
    save_model(decoder.load(), decoder.tokenizer, ["t"], tmp_path / "id")

    def full(self, *_, **__):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(type(decoder.load()), "save_pretrained", full)
    with pytest.raises(UnwritableError, match="cannot write .*No space left"):
        save_model(decoder.load(), decoder.tokenizer, ["t"], tmp_path / "id")
    assert [path.name for path in tmp_path.iterdir()] == ["id"]
    assert AutoModelForCausalLM.from_pretrained(tmp_path / "id") is not None


PLANNED = """
import sys
from bench.running import perform
from bench.planning.options import PlanOptions
from bench.planning.plan import plan
plan(PlanOptions("sentiment", "tiny-bert", strategies=sys.argv[1:], seeds=1, test_items=8), "fp32")
print([name for name in ("peft", "bitsandbytes") if name in sys.modules])
"""


@pytest.mark.parametrize(("strategy", "loaded"), [("full", "[]"), ("lora-32bit", "['peft', 'bitsandbytes']")])
def test_peft_is_loaded_where_an_adapter_is_meant(strategy, loaded):
    """It takes longer than torch. Where an adapter is meant, it is there before a run's memory and seconds are counted."""
    done = subprocess.run([sys.executable, "-c", PLANNED, strategy], capture_output=True, text=True)
    assert done.stdout.splitlines()[-1:] == [loaded], done.stderr


TRAINED = """
import sys
from bench.cli import main
try:
    main(sys.argv[1:])
finally:
    print([name for name in ("torch", "peft", "bitsandbytes") if name in sys.modules])
"""


@pytest.mark.slow
def test_a_run_without_adapters_needs_no_peft_to_its_end(tmp_path):
    few = ("--budget", "8examples", "--test-items", "4", "--probe-items", "4")
    run = ("run", "--suite", "sentiment", "--model", "tiny-bert", "--tasks", "sst2", "--strategies", "full", *few)
    done = subprocess.run([sys.executable, "-c", TRAINED, *run, "--out", tmp_path], capture_output=True, text=True)
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, ["['torch']"]), done.stderr
