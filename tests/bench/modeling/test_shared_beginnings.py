"""A beginning that is read once in training, against transformers' own loss of the whole texts."""

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    OPTConfig,
    OPTForCausalLM,
)

from bench import strategies
from bench.modeling import cross_entropy, flops, forward
from bench.modeling.forward import loss_sum
from bench.modeling.recomputation import checkpoint_blocks
from bench.modeling.shared_beginnings import shares_beginnings
from bench.modeling.structure import layers, set_dropout
from bench.tokens.encoded import IGNORE, Encoded, collate
from bench.tokens.token_counts import padded_counts

CPU = torch.device("cpu")
BEGINNING = (7, 300, 12, 44, 90, 8, 21, 500, 33, 6, 77, 41)
STEP = [
    Encoded((*BEGINNING, 5, 6, 7, 8, 9), answer=2),
    Encoded((*BEGINNING, 10, 11), answer=1, weight=0.5),
    Encoded((*BEGINNING, 13, 14, 15, 16, 17, 18, 19), answer=4, silent=(1, 2)),
    Encoded((*BEGINNING, 20, 21, 22), answer=1),
]
ODD = {"vocab_size": 1000, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
FAMILIES = {
    "gpt2": lambda: GPT2LMHeadModel(GPT2Config(n_embd=32, n_layer=2, n_head=4, n_positions=64, **ODD)),
    "opt": lambda: OPTForCausalLM(
        OPTConfig(hidden_size=32, ffn_dim=64, num_hidden_layers=2, num_attention_heads=4, word_embed_proj_dim=32, **ODD)
    ),
}


def adapted(library, model, name="full", settings=None, **more):
    strategy = strategies.load_strategy(library.strategy(name), "decoder", settings or {})
    torch.manual_seed(0)
    return strategy.adapt(model.load(AutoModelForCausalLM, strategy.bits, **more), "decoder").train()


def gradients(model, loss):
    """The loss, and the gradients by name."""
    model.zero_grad()
    loss.backward()
    return loss.item(), {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def transformers_loss(model):
    total = 0.0
    for e in STEP:
        wanted = [word if place in e.spoken else IGNORE for place, word in enumerate(e.ids[-e.answer :])]
        labels = torch.tensor([[IGNORE] * (len(e.ids) - e.answer) + wanted])
        total = total + e.weight * e.targets * model(input_ids=torch.tensor([e.ids]), labels=labels, use_cache=False).loss
    return total


def held(model):
    expected, theirs = gradients(model, transformers_loss(model))
    for shared in (0, 5, len(BEGINNING)):
        found, ours = gradients(model, loss_sum(model, collate(STEP, 0, CPU, shared)))
        assert found == pytest.approx(expected, rel=1e-6)
        assert set(ours) == set(theirs)
        assert all((ours[name] - theirs[name]).abs().max() < 1e-5 * max(1, theirs[name].abs().max()) for name in ours)


@pytest.mark.parametrize("attention", ["sdpa", "eager"])
@pytest.mark.parametrize(("name", "settings"), [("full", {}), ("lora-8bit", {"bits": 32})])
def test_loss_and_gradients_are_those_of_transformers_for_the_whole_texts(library, decoder, name, settings, attention):
    model = adapted(library, decoder, name, settings, attn_implementation=attention)
    if settings:  # a fresh adapter's second matrix is 0, and the first one has no gradient
        for parameter in (p for n, p in model.named_parameters() if "lora_B" in n):
            torch.nn.init.normal_(parameter, std=0.02)
    assert shares_beginnings(model)
    held(model)


@pytest.mark.parametrize("family", FAMILIES)
def test_so_it_is_where_places_are_embedded(family):
    torch.manual_seed(0)
    model = FAMILIES[family]().train()
    assert not shares_beginnings(model)  # both drop by default
    set_dropout(model, 0.0)
    assert shares_beginnings(model)
    held(model)


def test_keys_and_values_without_gradients_would_be_noticed(library, decoder, monkeypatch):
    """Planted fault: what rows learn through the beginning's keys and values does not reach it."""
    model, begun = adapted(library, decoder), forward._begun

    def cut_off(*given):
        cache = begun(*given)
        for layer in cache.layers if cache else ():
            layer.keys, layer.values = layer.keys.detach(), layer.values.detach()
        return cache

    monkeypatch.setattr(forward, "_begun", cut_off)
    with pytest.raises(AssertionError):
        held(model)


def test_so_it_is_where_the_loss_is_made_in_chunks(library, decoder, monkeypatch):
    """Planted fault: the chunks' pass did not go on from what is read once."""
    chunks, made = [], cross_entropy._add_product
    monkeypatch.setattr(cross_entropy, "CHUNK_LOGITS", 3000)
    monkeypatch.setattr(cross_entropy, "_add_product", lambda *given: chunks.append(1) or made(*given))
    held(adapted(library, decoder))
    assert len(chunks) == 3 * 2  # six targets, three to a chunk, in each of three ways


def test_in_bf16_it_is_rounded_as_what_is_read_whole(library, decoder):
    model = adapted(library, decoder)
    exact = loss_sum(model, collate(STEP, 0, CPU)).item()
    with torch.autocast("cpu", torch.bfloat16):
        whole, once = (loss_sum(model, collate(STEP, 0, CPU, shared)).item() for shared in (0, len(BEGINNING)))
    assert whole != exact and once == pytest.approx(whole, rel=2e-3)


def test_operations_are_those_that_torch_counts(library, decoder):
    """But for the last block: of what is shared it gives keys and values alone, and the formula counts all gradients."""
    model = adapted(library, decoder, attn_implementation="eager")
    with FlopCounterMode(display=False) as counter:
        loss_sum(model, collate(STEP, 0, CPU, len(BEGINNING))).backward()
    formula, truth = flops.count_flops(model), counter.get_total_flops()
    block = layers(model)[-1]
    needed = {block.self_attn.k_proj, block.self_attn.v_proj}
    matrices = sum(part.weight.numel() for part in block.modules() if isinstance(part, torch.nn.Linear) and part not in needed)
    unneeded = 4 * matrices * len(BEGINNING) + 8 * 64 * len(BEGINNING) ** 2
    assert formula.computed(padded_counts(STEP, len(BEGINNING))) - unneeded == pytest.approx(truth, rel=0.001)
    assert formula.computed(padded_counts(STEP)) > 1.3 * truth


REFUSED = {
    "8 bit": ("lora-8bit", {}),
    "dropout of an adapter": ("lora-8bit", {"bits": 32, "peft": {"peft_type": "LORA", "lora_dropout": 0.1}}),
    "virtual tokens": ("lora-8bit", {"bits": 32, "peft": {"peft_type": "PROMPT_TUNING", "num_virtual_tokens": 4}}),
    "checkpointing": ("lora-8bit", {"bits": 32, "gradient_checkpointing": True}),
    "blocks that never change, of which states are kept": ("frozen", {"frozen": 1}),
}


@pytest.mark.parametrize("name", REFUSED)
def test_where_it_would_not_be_exact_or_not_pay_each_text_is_read_whole(library, decoder, name):
    assert not shares_beginnings(adapted(library, decoder, *REFUSED[name]))


def test_dropout_of_attention_checkpointing_by_a_ceiling_and_encoders_refuse_it(library, decoder, encoder):
    model = adapted(library, decoder)
    set_dropout(model, 0.1)
    assert not shares_beginnings(model)
    set_dropout(model, 0.0)
    assert shares_beginnings(model)
    checkpoint_blocks(model)
    assert not shares_beginnings(model)
    assert not shares_beginnings(encoder.load())
    small = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2}
    assert not shares_beginnings(LlamaForCausalLM(LlamaConfig(**ODD, **small, attention_dropout=0.1)))
