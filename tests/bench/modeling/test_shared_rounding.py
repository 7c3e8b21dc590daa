"""What layers in 8 bit read alike is rounded once, with the same bits, and nothing of it is left after a pass."""

import gc
import weakref

import numpy as np
import pytest
import torch
from torch import nn
from torch.utils.checkpoint import checkpoint
from transformers import AutoModel, AutoModelForCausalLM

from bench.modeling import eight_bit, quantisation, shared_rounding
from bench.modeling.shared_rounding import share_rounding
from bench.modeling.structure import layers

BLOCKS = 4
SHARED, SPARED = 4, 3
"""Roundings of a block: of what q, k and v read, of what o reads, gate and up, down; and those that fall away for it."""
LENGTH = 9


@pytest.fixture
def roundings(monkeypatch):
    """Weak references to the rounded rows of inputs, as often as inputs are rounded: a threshold stands beside inputs alone."""
    made, rows_in_8_bit = [], eight_bit.rows_in_8_bit

    def counted(given, threshold=0.0):
        rounded = rows_in_8_bit(given, threshold)
        if threshold:
            made.append(weakref.ref(rounded[0]))
        return rounded

    monkeypatch.setattr(eight_bit, "rows_in_8_bit", counted)
    return made


def by_itself(model, ids):
    with torch.no_grad():
        return [model(ids).logits]


def in_bf16(model, ids):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return by_itself(model, ids)


def with_gradients(model, ids):
    embedded = model.get_input_embeddings()(ids).detach().requires_grad_()
    logits = model(inputs_embeds=embedded).logits
    logits.square().sum().backward()
    return [logits.detach(), embedded.grad]


def with_checkpoints(model, ids):
    """The blocks are computed again for the backward pass, as far as it needs them."""
    for block in layers(model):
        block.forward = lambda *given, forward=block.forward, **named: checkpoint(forward, *given, use_reentrant=False, **named)
    return with_gradients(model, ids)


def adapted(model):
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(2)
    wrapped = get_peft_model(model, LoraConfig(target_modules="all-linear", init_lora_weights=False))
    return wrapped.eval()


@pytest.mark.parametrize(
    ("passing", "times"),
    [(by_itself, 1), (in_bf16, 1), (with_gradients, 1), (with_checkpoints, 2)],
    ids=lambda each: getattr(each, "__name__", None),
)
@pytest.mark.parametrize("around", [lambda model: model, adapted], ids=["bare", "adapters"])
def test_the_same_bits_come_of_fewer_roundings(decoder, roundings, monkeypatch, around, passing, times):
    ids = torch.arange(3, 3 + LENGTH)[None].repeat(2, 1)
    shared = passing(around(decoder.load(bits=8).eval()), ids)
    rounded = len(roundings)
    roundings.clear()
    monkeypatch.setattr(quantisation, "share_rounding", lambda model: None)
    alone = passing(around(decoder.load(bits=8).eval()), ids)
    assert len(roundings) - rounded == times * SPARED * BLOCKS
    assert all(torch.equal(*each) for each in zip(shared, alone, strict=True))


@torch.no_grad()
@pytest.mark.parametrize("family", ["encoder", "decoder"])
def test_of_a_block_four_inputs_are_rounded(encoder, decoder, roundings, family):
    model = (encoder if family == "encoder" else decoder).load(AutoModel, bits=8).eval()
    model(torch.tensor([[101, 207, 143, 102]]))
    assert len(roundings) == SHARED * len(layers(model))  # an encoder's feed-forward layers are two


def test_nothing_is_held_while_a_graph_is_or_after_a_pass_that_failed(decoder, roundings):
    model = decoder.load(AutoModelForCausalLM, bits=8).eval()
    embedded = torch.randn(1, LENGTH, 64, requires_grad=True)
    graph = model(inputs_embeds=embedded).logits  # which holds what layers have read
    gc.collect()
    assert graph.requires_grad and roundings and not any(rows() is not None for rows in roundings)
    roundings.clear()

    def broken(*_):
        raise MemoryError

    layers(model)[1].self_attn.v_proj.register_forward_pre_hook(broken)
    with pytest.raises(MemoryError):
        model(inputs_embeds=embedded)
    gc.collect()
    assert roundings and not any(rows() is not None for rows in roundings)
    assert shared_rounding._now.reads is None


class Two(nn.Module):
    """Two layers in 8 bit of 16 numbers, and what stands between them."""

    def __init__(self, between):
        super().__init__()
        import bitsandbytes

        eight_bit.hasten()
        torch.manual_seed(0)
        made = [bitsandbytes.nn.Linear8bitLt(16, 8, has_fp16_weights=False, threshold=6.0) for _ in range(2)]
        self.first, self.second = (layer.to("cpu") for layer in made)  # where weights are rounded
        self.between = between
        self.eval()

    def forward(self, states):
        first = self.first(states)
        return first, self.second(self.between(states))


@torch.no_grad()
def test_what_was_changed_in_place_is_rounded_anew(roundings):
    def double(states):
        states.view(-1).mul_(2)  # by another view of the same numbers
        return states

    given = torch.randn(3, 16)
    alone = Two(double)(given.clone())
    assert len(roundings) == 2
    roundings.clear()
    model = Two(double)
    share_rounding(model)
    assert all(torch.equal(*each) for each in zip(model(given.clone()), alone, strict=True))
    assert len(roundings) == 2


@torch.no_grad()
def test_another_tensor_at_the_same_address_is_rounded_anew():
    """As an object and as numbers: what a layer read is gone before the next one reads."""
    two, place = Two(nn.Identity()), np.zeros((3, 16), np.float32)
    one, other = np.random.default_rng(0).standard_normal((2, 3, 16), np.float32)
    wanted = two.second(torch.from_numpy(other))
    share_rounding(two)

    def lying_there(numbers):
        place[:] = numbers
        return torch.from_numpy(place)

    for _ in range(100):
        given = lying_there(one)
        before = id(given), given.data_ptr(), given._version
        two.first(given)
        del given
        later = lying_there(other)
        assert torch.equal(two.second(later), wanted)
        if (id(later), later.data_ptr(), later._version) == before:
            return
    pytest.fail("no tensor came to lie where another had lain")


@torch.no_grad()
def test_weights_that_are_still_to_be_rounded_are_not_taken_for_the_input(monkeypatch):
    import bitsandbytes

    def rounds_its_weights(_):
        return torch.ops.bitsandbytes.int8_vectorwise_quant.default(late.weight.data.half(), 6.0)

    two, late = Two(nn.Identity()), bitsandbytes.nn.Linear8bitLt(16, 16, has_fp16_weights=False, threshold=6.0).eval()
    monkeypatch.setattr(late, "forward", rounds_its_weights)
    two.add_module("late", late)  # never moved to a device
    share_rounding(two)
    given = torch.randn(16, 16)
    two.first(given)
    assert torch.equal(late(given)[0], eight_bit.rows_in_8_bit(late.weight.data.half(), 6.0)[0])


def test_in_inference_mode_each_layer_rounds_for_itself(roundings):
    model = Two(lambda states: states)
    share_rounding(model)
    given = torch.randn(3, 16)
    with torch.no_grad():
        outside = model(given)
        assert len(roundings) == 1
    roundings.clear()
    with torch.inference_mode():
        inside = model(given.clone())
    assert len(roundings) == 2 and all(torch.equal(*each) for each in zip(inside, outside, strict=True))
