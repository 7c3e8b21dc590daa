"""The model that a run trains: its heads, its dropout, its place, and which of its weights train."""

from types import SimpleNamespace

import pytest
import torch
from accelerate.utils import DistributedType
from safetensors.torch import load_file
from torch import nn

from bench.modeling import sharding
from bench.modeling.heads import Heads
from bench.modeling.structure import layers
from bench.running import adaptation
from bench.running.adaptation import adapted


def trainable(model):
    return {name for name, parameter in model.named_parameters() if parameter.requires_grad}


def test_an_encoder_with_several_tasks_has_a_head_for_each(planned, device):
    model = adapted(planned("multitask"), device)
    assert isinstance(model, Heads)
    # In the order of run.training_tasks: sentiment in three classes, sarcasm and entailment in two.
    assert [model.heads[name].classifier.out_features for name in ("0", "1", "2")] == [3, 2, 2]
    assert trainable(model) == {name for name, _ in model.named_parameters()}


def test_stages_have_heads_of_their_own_kinds(planned, device):
    model = adapted(planned("full", suite="stages"), device)
    kinds = [type(model.heads[name]).__name__ for name in ("0", "1", "2")]
    assert kinds == ["BertForQuestionAnswering", "BertForSequenceClassification", "BertForTokenClassification"]


def test_an_encoder_with_one_task_is_the_plain_head_model(planned, device):
    model = adapted(planned("full"), device)
    assert type(model).__name__ == "BertForSequenceClassification" and model.classifier.out_features == 3


@pytest.mark.parametrize(("way", "mapped"), [("ddp", False), ("fsdp2", True), ("zero3", True)])
def test_what_is_to_be_shared_out_is_mapped_from_files_that_need_no_converting(
    planned, decoder, device, tmp_path, monkeypatch, way, mapped
):
    """Planted fault: each process converted the whole model for itself, before it kept its part."""
    decoder.load().to(torch.bfloat16).save_pretrained(tmp_path / "saved")
    decoder.tokenizer.save_pretrained(tmp_path / "saved")
    run, known = planned("full", model=tmp_path / "saved"), []
    monkeypatch.setenv("TUNEBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(sharding, "parallelism", lambda _: way)
    monkeypatch.setattr(adaptation, "placed", lambda model, _: known.append(dict(model.named_parameters())) or model)
    adapted(run, device)
    (files,) = [load_file(path) for path in tmp_path.glob("cache/mapped/*/*.safetensors")] or [{}]
    assert bool(files) == mapped
    assert all(torch.equal(known[0][name], weight) for name, weight in files.items())


def test_a_decoder_keeps_its_own_head_whatever_it_trains_on(planned, decoder_folder, device):
    model = adapted(planned("multitask", model=decoder_folder), device)
    assert type(model).__name__ == "LlamaForCausalLM"


@pytest.mark.parametrize(("said", "found"), [([], {0.1}), (["dropout=0.3"], {0.3}), (["dropout=0"], {0.0})])
def test_dropout_is_set_where_it_is_asked_for(planned, device, said, found):
    model = adapted(planned("full", settings=said), device)
    assert {module.p for module in model.modules() if isinstance(module, nn.Dropout)} == found


def test_dropout_is_of_every_head_and_not_of_the_adapter(planned, device):
    settings = ["dropout=0.3"]
    heads = adapted(planned("multitask", settings=settings), device)
    assert {module.p for module in heads.modules() if isinstance(module, nn.Dropout)} == {0.3}
    # An adapter has its own, which stands in the strategy's `peft`.
    lora = adapted(planned("lora-8bit", settings=[*settings, "peft.lora_dropout=0.05"]), device)
    assert {m.p for name, m in lora.named_modules() if isinstance(m, nn.Dropout) and "lora" in name} == {0.05}


def test_a_frozen_model_trains_its_top_layers_and_head(planned, device):
    model = adapted(planned("frozen"), device)
    training = trainable(model)
    # Two thirds of two layers, rounded: the lower one stays.
    assert len(layers(model)) == 2
    assert training and all(part not in name for name in training for part in ("embeddings", "layer.0."))
    assert {name.split(".")[0] for name in training} == {"bert", "classifier"}
    assert any("layer.1." in name for name in training)


def test_an_adapter_trains_itself_and_the_head_on_a_rounded_base(planned, device):
    model = adapted(planned("lora-8bit"), device)
    assert all("lora_" in name or "classifier" in name or "pooler" in name for name in trainable(model))
    assert any("lora_" in name for name in trainable(model)) and any("classifier" in name for name in trainable(model))
    assert torch.int8 in {parameter.dtype for parameter in model.parameters()}


@pytest.mark.parametrize("strategy", ["multitask", "full"])
def test_it_stands_on_the_device(planned, strategy):
    """On a device without storage, which a machine without a GPU has too."""
    meta = torch.device("meta")
    alone = SimpleNamespace(device=meta, distributed_type=DistributedType.NO)
    model = adapted(planned(strategy), SimpleNamespace(torch=meta, accelerator=alone))
    assert {parameter.device.type for parameter in model.parameters()} == {"meta"}


def test_what_trains_lies_in_memory_of_its_own(planned, device, decoder_folder, own_bytes):
    """And no longer in the model's file; what does not train is read from there."""
    model = adapted(planned("frozen", model=decoder_folder), device)
    trained, still = (
        sum(4 * weight.numel() for weight in model.parameters() if weight.requires_grad is trains) for trains in (True, False)
    )
    assert trained <= own_bytes(decoder_folder) < trained + still / 2
