"""Biases of layers in 8 and 4 bit: the same after each pass as before it, whatever type the pass had."""

import pytest
import torch
from transformers import AutoModel

from bench.modeling import quantisation


def biases(model):
    quantised = (layer for layer in model.modules() if type(layer).__name__ in ("Linear8bitLt", "Linear4bit"))
    return [layer.bias for layer in quantised if layer.bias is not None]


def passes(model):
    """In bf16 and in fp32, as training and asking have them by turns."""
    ids = torch.tensor([[101, 2307, 2143, 102]])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        half = model(ids).last_hidden_state
    return half.detach().float(), model(ids).last_hidden_state.detach()


@pytest.mark.parametrize("bits", [8, 4])
def test_biases_stay_as_they_were_loaded(encoder, bits):
    model = encoder.load(AutoModel, bits=bits).eval()
    before = [bias.detach().clone() for bias in biases(model)]
    assert before and any(not torch.equal(bias, bias.bfloat16().float()) for bias in before)
    passes(model)
    for bias, was in zip(biases(model), before, strict=True):
        assert bias.dtype == was.dtype and torch.equal(bias, was)


def test_without_that_a_pass_in_bf16_changes_those_after_it(encoder, monkeypatch):
    """bitsandbytes by itself in 8 bit, whose first pass is the same."""
    first, second = passes(encoder.load(AutoModel, bits=8).eval())
    monkeypatch.setattr(quantisation, "keep_biases", lambda model: None)
    bare = encoder.load(AutoModel, bits=8).eval()
    before = [bias.detach().clone() for bias in biases(bare)]
    bare_first, bare_second = passes(bare)
    assert torch.equal(first, bare_first) and not torch.equal(second, bare_second)
    assert not all(torch.equal(bias.float(), was) for bias, was in zip(biases(bare), before, strict=True))


def test_a_pass_that_fails_gives_them_back_too(encoder, monkeypatch):
    model = encoder.load(AutoModel, bits=8)
    layer = next(module for module in model.modules() if type(module).__name__ == "Linear8bitLt")
    before = layer.bias.detach().clone()

    def broken(x):
        layer.bias.data = layer.bias.data.bfloat16()
        raise MemoryError

    monkeypatch.setattr(layer, "forward", broken)
    with pytest.raises(MemoryError):
        layer(torch.zeros(1, layer.in_features))
    assert torch.equal(layer.bias, before)
