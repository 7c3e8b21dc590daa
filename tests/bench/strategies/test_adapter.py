"""PEFT's variants on fp32, 8- and 4-bit bases: they train, answer alone as in a batch, and are kept by their adapters."""

import json

import pytest
import torch
from accelerate import Accelerator
from peft import LoraConfig, PeftModel
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoModelForSequenceClassification

from bench import strategies
from bench.errors import UserError
from bench.inference.backend import Prompt
from bench.inference.evalset import EvalSet
from bench.inference.generation import generate
from bench.inference.likelihood import likelihoods, text_losses
from bench.inference.local import LocalBackend
from bench.inference.predictions import predict
from bench.modeling.forward import head_logits, last_logits
from bench.modeling.heads import Heads
from bench.specs.wording import Wording
from bench.tasks import splits, types
from bench.tasks.encoding import Encoding
from bench.tokens.encoded import collate
from bench.training import loop

CPU = torch.device("cpu")
LORA = {"peft_type": "LORA", "r": 4, "target_modules": "all-linear"}
VARIANTS = {
    "lora": LORA,
    "dora": LORA | {"use_dora": True},
    "rslora": LORA | {"use_rslora": True},
    "ia3": {"peft_type": "IA3"},
    "prefix": {"peft_type": "PREFIX_TUNING", "num_virtual_tokens": 5},
    "prompt": {"peft_type": "PROMPT_TUNING", "num_virtual_tokens": 5},
}
TASKS = {"classification": "sst2", "ner": "sec-entities", "qa": "squad"}


def strategy(library, family, bits, peft):
    """The built-in one with another `peft`, as --set would give it."""
    return strategies.load_strategy(library.strategy("lora-8bit"), family, {"bits": bits, "peft": peft, "learning_rate": 0.01})


@pytest.fixture(scope="module")
def trained(library, tmp_path_factory):
    """(base's loader, the model after two steps on real examples, those examples, the folder that its adapter is kept in).

    The loader draws another head each time. The model is the same for all tests that ask the same: none of them changes it.
    It is kept before its first pass: after one, save_pretrained damages a 4-bit base on the CPU (see `trained_state`).
    """
    made = {}

    def train(model, task, bits, variant):
        key = (model.name, task.name, bits, variant)
        if key not in made:
            base, adapted, step = two_steps(library, model, task, bits, VARIANTS[variant])
            folder = tmp_path_factory.mktemp("adapter")
            adapted.save_pretrained(folder)
            made[key] = base, adapted, step, folder
        return made[key]

    return train


def two_steps(library, model, task, bits, peft):
    torch.manual_seed(0)
    kind, encoding, chosen = types.task_type(task), Encoding(model, 96), strategy(library, model.family, bits, peft)
    step = [e for example in splits.load_splits(task).train[:6] for e in encoding.training(kind, example, Wording(), 0)][:8]
    headed = (kind.auto_class, {"num_labels": kind.outputs()}) if model.family == "encoder" else (AutoModelForCausalLM, {})

    def base():
        return model.load(headed[0], bits, CPU, **headed[1])

    adapted = chosen.adapt(base(), model.family)
    spent = loop.train(adapted, [step] * 2, chosen.hyperparameters, Accelerator(cpu=True), loop.Padding(0, 1000))
    assert spent.steps == 2 and spent.losses[1] < spent.losses[0]
    return base, adapted.eval(), step


def outputs(model, step):
    with torch.no_grad():
        batch = collate(step, 0, CPU)
        return last_logits(model, batch, 4) if step[0].decodes else head_logits(model, batch)


def difference(found, expected):
    """Largest, in units of the largest logit."""
    real = expected.isfinite()
    return ((found - expected)[real].abs().max() / expected[real].abs().max()).item()


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_variant_trains_and_answers_on_a_decoder(trained, library, decoder, sst2, device, variant):
    base, model, *_ = trained(decoder, sst2, 32, variant)
    asked = EvalSet(types.task_type(sst2), splits.load_splits(sst2), Encoding(decoder, 96), Wording(), 0, items=6)
    found = predict(LocalBackend(model, decoder, device, 500), asked)
    assert set(found["prediction"]) <= {"positive", "negative"} and found["confidence"].between(0.5, 1).all()
    untouched = predict(LocalBackend(base().eval(), decoder, device, 500), asked)
    assert (found["confidence"] - untouched["confidence"]).abs().max() > 1e-6  # what was trained is used
    changed = {name for name, parameter in model.named_parameters() if parameter.requires_grad}
    assert changed and 0 < sum(t.numel() for t in strategy(library, "decoder", 32, {}).trained_state(model).values()) < 70_000


@pytest.mark.parametrize("variant", VARIANTS)
def test_each_variant_does_not_see_padding_or_neighbours(trained, decoder, sst2, variant):
    """Prompts that PEFT puts before the text stand right before it, whatever its padding."""
    _, model, step, _ = trained(decoder, sst2, 32, variant)
    contexts = [e.ids[:length] for e, length in zip(step, (5, 17, 30, 11), strict=False)]
    requests = [(context, e.ids[-length:]) for context, e, length in zip(contexts, step, (1, 3, 2, 1), strict=False)]
    together = [found.total for found in likelihoods(model, requests, 0, 1000)]
    alone = [likelihoods(model, [request], 0, 1000)[0].total for request in requests]
    assert together == pytest.approx(alone, abs=1e-4)
    assert text_losses(model, step, 0, 2000) == pytest.approx([text_losses(model, [e], 0, 2000)[0] for e in step], abs=1e-4)
    tokenizer = decoder.tokenizer
    several = generate(model, tokenizer, [Prompt(tuple(ids)) for ids in contexts], 6, 1000, one_line=False)
    for context, found in zip(contexts, several, strict=True):
        (single,) = generate(model, tokenizer, [Prompt(tuple(context))], 6, 1000, one_line=False)
        assert found.text == single.text and found.confidence == pytest.approx(single.confidence, rel=1e-4)
        ids = [*context]
        with torch.no_grad():  # by hand: the likeliest token, again and again, everything fed anew
            for _ in range(6):
                ids.append(int(model(input_ids=torch.tensor([ids])).logits[0, -1].argmax()))
                if ids[-1] == tokenizer.eos_token_id:
                    break
        assert found.text == tokenizer.decode(ids[len(context) :], skip_special_tokens=True).strip()


@pytest.mark.parametrize("bits", [32, 8, 4])
@pytest.mark.parametrize("variant", VARIANTS)
def test_an_adapter_is_all_that_must_be_kept_of_a_decoder(trained, decoder, sst2, variant, bits):
    if (variant, bits) == ("dora", 8):
        pytest.skip("PEFT's DoRA loses bitsandbytes' 8-bit scales on the CPU: its second forward pass fails")
    base, model, step, folder = trained(decoder, sst2, bits, variant)
    assert list(folder.glob("*.safetensors")) and not list(folder.glob("*.bin"))
    again = PeftModel.from_pretrained(base(), str(folder)).eval()
    for encoded in step:  # one by one: PEFT alone does not see to padding
        assert torch.equal(outputs(again, [encoded]), outputs(model, [encoded]))
    assert not torch.equal(outputs(base().eval(), step[:1]), outputs(model, step[:1]))


@pytest.mark.parametrize("bits", [32, 8, 4])
@pytest.mark.parametrize("kind", TASKS)
def test_an_adapter_holds_an_encoders_whole_head(trained, library, encoder, kind, bits):
    """tiny-bert has no pooler: a text classifier's is random at each loading, and must come from the adapter."""
    task = library.task(TASKS[kind])
    base, model, step, folder = trained(encoder, task, bits, "lora")
    again = PeftModel.from_pretrained(base(), str(folder)).eval()
    assert torch.equal(outputs(again, step), outputs(model, step))
    saved = strategy(library, "encoder", bits, {}).trained_state(model)
    parts = {"classification": ("classifier", "pooler"), "ner": ("classifier",), "qa": ("qa_outputs",)}[kind]
    for part in parts:
        assert any(part in name and "lora" not in name for name in saved), part
    assert sum(t.numel() for t in saved.values()) == sum(p.numel() for p in model.parameters() if p.requires_grad)


@pytest.mark.parametrize(
    "peft", [LoraConfig(r=4, target_modules=["query"]).to_dict(), LORA | {"modules_to_save": ["classifier"]}]
)
def test_whatever_a_config_writes_the_whole_head_trains(library, encoder, peft):
    """PEFT's own to_dict writes what is not chosen as null; and the pooler is as random as the classifier that is named."""
    written = json.loads(json.dumps(peft, default=list))
    peft = {name: value for name, value in written.items() if not isinstance(value, dict) and name != "peft_version"}
    base = encoder.load(AutoModelForSequenceClassification, num_labels=2)
    model = strategy(library, "encoder", 32, peft).adapt(base, "encoder")
    trained = {name for name, parameter in model.named_parameters() if parameter.requires_grad and "lora" not in name}
    for part in ("classifier", "pooler"):
        assert any(part in name for name in trained), part


@pytest.mark.parametrize("bits", [32, 8, 4])
@pytest.mark.parametrize("variant", VARIANTS)
def test_asking_what_must_be_kept_leaves_the_model_as_it_is(trained, library, decoder, sst2, variant, bits):
    if (variant, bits) == ("dora", 8):
        pytest.skip("PEFT's DoRA loses bitsandbytes' 8-bit scales on the CPU: its second forward pass fails")
    _, model, step, folder = trained(decoder, sst2, bits, variant)
    before = outputs(model, step[:1])
    state = strategy(library, "decoder", bits, VARIANTS[variant]).trained_state(model)
    assert torch.equal(outputs(model, step[:1]), before)
    kept = load_file(folder / "adapter_model.safetensors")
    assert state.keys() == kept.keys() and all(torch.equal(state[name], tensor) for name, tensor in kept.items())


@pytest.mark.parametrize(("bits", "tolerance"), [(32, 1e-5), (8, 0.05), (4, 0.5)])
@pytest.mark.parametrize("kind", ["decoder", *TASKS])
def test_a_merged_model_answers_the_same(trained, library, decoder, encoder, kind, bits, tolerance):
    """A quantised base is quantised anew with the adapter in it, which costs as much as its bits are coarse.

    Merged before the first pass: bitsandbytes packs 4-bit weights for the CPU there, and PEFT then merges into the packed ones.
    """
    task = library.task(TASKS.get(kind, "sst2"))
    base, adapted, step, folder = trained(decoder if kind == "decoder" else encoder, task, bits, "lora")
    merged = PeftModel.from_pretrained(base(), str(folder)).merge_and_unload().eval()
    assert not any("lora" in name for name, _ in merged.named_modules())
    assert difference(outputs(merged, step), outputs(adapted, step)) < tolerance


@pytest.mark.parametrize("kind", TASKS)
def test_token_types_reach_the_model_through_the_adapters(library, encoder, kind):
    task = library.task(TASKS[kind])
    found = types.task_type(task)
    chosen = strategy(library, "encoder", 32, LORA)
    model = chosen.adapt(encoder.load(found.auto_class, num_labels=found.outputs()), "encoder").eval()
    (window,) = Encoding(encoder, 384).training(found, splits.load_splits(task).train[0], Wording(style="instruction"), 0)[:1]
    batch = collate([window], 0, CPU)
    plain = outputs(model, [window])
    batch.types.fill_(1)
    with torch.no_grad():
        assert not torch.equal(head_logits(model, batch), plain)
    with torch.no_grad():  # the adapters start as nothing: the base and its head give the same
        inner = model.get_base_model()
        out = inner(input_ids=batch.input_ids, token_type_ids=batch.types)
        first = out.start_logits if kind == "qa" else out.logits
        expected = first[:, None] if kind == "classification" else first
        mine = head_logits(model, batch)
        assert torch.allclose(mine[:, 0] if kind == "qa" else mine, expected, atol=1e-6)


@pytest.mark.parametrize("variant", ["prefix", "prompt", "ia3"])
@pytest.mark.parametrize("kind", TASKS)
def test_variants_on_an_encoders_heads(trained, library, encoder, kind, variant):
    task = library.task(TASKS[kind])
    _, model, step, _ = trained(encoder, task, 32, variant)
    logits = outputs(model, step)
    longest = max(len(e.ids) for e in step)
    assert logits.shape == (len(step), *{"classification": (1, 2), "ner": (longest, 7), "qa": (2, longest)}[kind])
    # A window alone has the logits that it has beside longer ones.
    short = min(range(len(step)), key=lambda i: len(step[i].ids))
    alone = outputs(model, [step[short]])[0]
    inside = logits[short][: alone.shape[0], : alone.shape[1]]
    assert torch.allclose(inside, alone, atol=1e-4)


def test_lora_trains_adapters_alone_and_starts_as_the_base(adapted, trainable, decoder):
    strategy, model = adapted("lora-8bit", decoder, bits=8)
    assert strategy.bits == 8
    assert all("lora_" in name for name in trainable(model))
    ids = torch.tensor([[5, 6, 7, 8]])
    with torch.no_grad(), model.disable_adapter():
        off = model(ids).logits
    with torch.no_grad():
        assert torch.equal(model(ids).logits, off)
    norms = [m for m in model.modules() if "Norm" in type(m).__name__]
    assert norms and all(norm.weight.dtype == torch.float32 for norm in norms)
    assert model(ids).logits.dtype == torch.float32


def checkpointed(model):
    return sum(getattr(module, "gradient_checkpointing", False) for module in model.modules()) >= 2


@pytest.mark.parametrize("bits", [32, 8, 4])
def test_gradient_checkpointing_is_on_where_it_is_asked_for(adapted, decoder, bits):
    assert not checkpointed(adapted("lora-8bit", decoder, bits=bits)[1])
    assert checkpointed(adapted("lora-8bit", decoder, bits=bits, gradient_checkpointing=True)[1])


@pytest.mark.parametrize("bits", [32, 8])
def test_gradient_checkpointing_is_on_under_several_heads_too(strategy, encoder, bits):
    heads = Heads([encoder.load(AutoModelForSequenceClassification, bits, num_labels=2) for _ in range(2)])
    assert checkpointed(strategy("lora-8bit", "encoder", bits=bits, gradient_checkpointing=True).adapt(heads, "encoder"))


@pytest.mark.parametrize("variant", ["prefix", "prompt"])
def test_virtual_tokens_under_several_heads_are_refused_in_words(library, encoder, variant):
    heads = Heads([encoder.load(AutoModelForSequenceClassification, num_labels=2) for _ in range(2)])
    with pytest.raises(UserError, match="^strategy 'lora-8bit': virtual tokens need .* and several heads are none"):
        strategy(library, "encoder", 32, VARIANTS[variant]).adapt(heads, "encoder")
