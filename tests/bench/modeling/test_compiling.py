"""Compiled blocks: the same losses, a compilation for all, and nothing of it left outside of training steps."""

import gc
import weakref

import pytest
import torch
from accelerate import Accelerator
from torch._dynamo.utils import counters
from transformers import AutoModelForSequenceClassification

from bench.modeling.compiling import CompiledBlocks
from bench.modeling.structure import layers, set_dropout
from bench.preflight.compilers import lacking
from bench.strategies.base import Hyperparameters
from bench.tokens.encoded import Encoded
from bench.training import loop
from bench.training.loop import Padding

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def nothing_compiled():
    if lack := lacking():
        pytest.skip(f"this machine {lack}")
    torch.compiler.reset()
    counters.clear()
    yield
    torch.compiler.reset()


def texts(*lengths, **answer):
    return [Encoded(tuple(range(5, 5 + length)), **answer) for length in lengths]


def losses(model, steps, **settings):
    hyperparameters = Hyperparameters(learning_rate=1e-3, **settings)
    return loop.train(model, steps, hyperparameters, Accelerator(cpu=True), Padding(0)).losses


@pytest.mark.parametrize("frozen", [False, True])
def test_a_decoder_learns_the_same_from_texts_of_all_lengths_by_one_compilation(decoder, frozen):
    steps = [texts(*lengths, answer=2) for lengths in ([9, 7], [12, 12], [6, 11], [17, 8])]
    plain, compiled = decoder.load(), decoder.load()
    for model in (plain, compiled):
        layers(model)[0].requires_grad_(not frozen)
        model.get_input_embeddings().requires_grad_(not frozen)
    expected = losses(plain, steps)
    assert losses(compiled, steps, compile=True) == pytest.approx(expected, rel=1e-5)
    # With padding and without; and of the lowest block that trains, whose input wants no gradient.
    graphs = counters["stats"]["unique_graphs"]
    assert 0 < graphs <= (4 if frozen else 2)
    assert all(block._compiled_call_impl is None for block in layers(compiled))
    # The next run of the process takes what is compiled, and nothing keeps the model of this one.
    told = weakref.ref(compiled)
    del compiled, model
    gc.collect()
    assert told() is None
    again = decoder.load()
    layers(again)[0].requires_grad_(not frozen)
    again.get_input_embeddings().requires_grad_(not frozen)
    assert losses(again, steps, compile=True) == pytest.approx(expected, rel=1e-5)
    assert counters["stats"]["unique_graphs"] == graphs


def test_dropout_draws_the_numbers_that_it_draws_else(encoder):
    steps, found = [texts(9, 9, labels=(1,)), texts(12, 7, labels=(0,))], []
    for compiled in (False, True):
        torch.manual_seed(0)
        model = encoder.load(AutoModelForSequenceClassification, num_labels=2)
        set_dropout(model, 0.5)
        found.append(losses(model, steps, compile=compiled))
    assert found[1] == pytest.approx(found[0], rel=1e-4)


def test_blocks_are_compiled_within_it_alone(encoder):
    model = encoder.load(AutoModelForSequenceClassification, num_labels=2)
    blocks = CompiledBlocks(model)
    assert all(block._compiled_call_impl is None for block in layers(model))
    for _ in range(2):
        with blocks:
            assert all(block._compiled_call_impl is not None for block in layers(model))
        assert all(block._compiled_call_impl is None for block in layers(model))
