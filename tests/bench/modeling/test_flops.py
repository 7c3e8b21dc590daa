"""The formula against torch's own counter, which counts 0 for fused attention on a CPU: so attention is eager here."""

import random

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    OlmoeConfig,
    OlmoeForCausalLM,
)

from bench import strategies
from bench.errors import UserError
from bench.modeling import flops
from bench.modeling.forward import loss_sum, unwrapped
from bench.tokens.encoded import Encoded, collate
from bench.tokens.token_counts import padded_counts, useful_counts

LENGTHS = (90, 40, 65, 20)
ANSWERS = (1, 5, 2, 1)
PROMPT = {"bits": 32, "peft": {"peft_type": "PROMPT_TUNING", "num_virtual_tokens": 8}}
PREFIX = {"bits": 32, "peft": {"peft_type": "PREFIX_TUNING", "num_virtual_tokens": 8}}
TOP = {"bits": 32, "peft": {"peft_type": "LORA", "layers_to_transform": [1], "target_modules": ["q_proj", "v_proj"]}}
WAYS = [
    ("full", {}),
    ("frozen", {"frozen": 1}),
    ("lora-8bit", {"bits": 32}),
    ("lora-8bit", {"bits": 8}),
    ("lora-8bit", {"bits": 8, "gradient_checkpointing": True}),
    ("lora-8bit", {"bits": 32, "gradient_checkpointing": True}),
    ("lora-8bit", PROMPT),
    ("lora-8bit", PREFIX),
]


def made(library, model, name, settings, kind):
    strategy = strategies.load_strategy(library.strategy(name), model.family, settings)
    head = {} if model.family == "decoder" else {"num_labels": 3}
    torch.manual_seed(0)
    return strategy.adapt(model.load(kind, strategy.bits, attn_implementation="eager", **head), model.family).train()


def test_experts_are_refused_rather_than_counted_as_nothing():
    """Their weights have three dimensions; planted fault: they cost nothing, and a budget bought many times more."""
    shape = {"hidden_size": 32, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
    experts = OlmoeForCausalLM(OlmoeConfig(vocab_size=50, num_key_value_heads=2, num_experts=4, num_experts_per_tok=2, **shape))
    with pytest.raises(UserError, match=r"has 3 dimensions, as weights of experts or convolutions have"):
        flops.count_flops(experts)


def examples(kind):
    """Texts of unlike length, so that a batch of them is padded by half."""
    generator = random.Random(0)
    texts = [tuple(generator.randrange(5, 900) for _ in range(length)) for length in LENGTHS]
    if kind is AutoModelForCausalLM:
        return [Encoded(ids, answer=answer) for ids, answer in zip(texts, ANSWERS, strict=True)]
    single = kind is AutoModelForSequenceClassification
    return [Encoded(ids, labels=(1,) if single else (1,) * len(ids), types=(0,) * len(ids)) for ids in texts]


def counted(model, batches):
    with FlopCounterMode(display=False) as counter:
        for batch in batches:
            loss_sum(model, collate(batch, 0, torch.device("cpu"))).backward()
    return counter.get_total_flops()


def held(library, model, name, settings, kind):
    batch, checkpointed = examples(kind), made(library, model, name, settings, kind)
    formula = flops.count_flops(checkpointed)
    assert formula.computed(padded_counts(batch)) == pytest.approx(counted(checkpointed, [batch]), rel=0.02)
    # What is useful is the same without checkpointing, which only saves memory.
    plain = made(library, model, name, {n: v for n, v in settings.items() if n != "gradient_checkpointing"}, kind)
    assert formula.useful(useful_counts(batch)) == pytest.approx(counted(plain, [[encoded] for encoded in batch]), rel=0.02)
    assert formula.computed(padded_counts(batch)) > 1.3 * formula.useful(
        useful_counts(batch)
    )  # there was something to tell apart


@pytest.mark.parametrize(("name", "settings"), [*WAYS, ("lora-8bit", TOP)])
def test_a_decoders_operations_are_those_that_torch_counts(name, settings, decoder, library):
    held(library, decoder, name, settings, AutoModelForCausalLM)


@pytest.mark.parametrize(("name", "settings"), WAYS)
@pytest.mark.parametrize("kind", [AutoModelForSequenceClassification, AutoModelForTokenClassification])
def test_an_encoders_operations_are_those_that_torch_counts(kind, name, settings, encoder, library):
    held(library, encoder, name, settings, kind)


def test_the_formula_of_the_shape_is_that_of_the_loaded_model(decoder, library):
    """What a plan says beforehand, from a model without weights."""
    strategy = strategies.load_strategy(library.strategy("frozen"), "decoder", {})
    shape = strategy.adapt(decoder.shape(AutoModelForCausalLM), "decoder")
    assert flops.count_flops(shape) == flops.count_flops(strategy.adapt(decoder.load(), "decoder"))


def test_a_formula_without_padding_or_recomputation_would_be_noticed(decoder, library):
    """Planted faults: each of what the formula once left out is more than the two per cent that are allowed."""
    batch = examples(AutoModelForCausalLM)
    model = made(library, decoder, "lora-8bit", {"gradient_checkpointing": True}, AutoModelForCausalLM)
    formula, truth = flops.count_flops(model), counted(model, [batch])
    assert formula.computed(useful_counts(batch)) < 0.9 * truth  # unpadded
    assert formula.useful(padded_counts(batch)) < 0.9 * truth  # not computed again


@pytest.mark.parametrize(("name", "settings"), [("full", {}), ("frozen", {"frozen": 1}), ("lora-8bit", {"bits": 32})])
def test_blocks_that_a_ceiling_checkpoints_are_counted_as_torch_counts_them(name, settings, decoder, library):
    """Unlike PEFT's, this lets no gradients flow below the lowest trained weight, where nothing is computed again; and torch
    stops before a block's last product, which is the difference of up to five per cent."""
    batch, model = examples(AutoModelForCausalLM), made(library, decoder, name, settings, AutoModelForCausalLM)
    plain = counted(model, [batch])
    model.zero_grad()
    unwrapped(model).gradient_checkpointing_enable({"use_reentrant": False})
    again = counted(model.train(), [batch])
    assert 0.995 * again < flops.count_flops(model).computed(padded_counts(batch)) < 1.05 * again
    assert again > 1.1 * plain
