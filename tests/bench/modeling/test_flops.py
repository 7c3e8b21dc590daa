import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from bench import strategies
from bench.modeling import flops
from bench.modeling.forward import loss_sum
from bench.tokens.encoded import collate

TOKENS = 128


@pytest.mark.parametrize("name", ["full", "frozen", "lora-8bit"])
def test_formula_is_close_to_counted_operations(name, decoder, decoding, library):
    settings = {"bits": 32} if name == "lora-8bit" else {}
    strategy = strategies.load_strategy(library.strategy(name), "decoder", settings)
    model = strategy.adapt(decoder.load(), "decoder")
    batch = collate([decoding.text("a film with heart and soul " * 40)], 0, torch.device("cpu"))
    length = batch.input_ids.shape[1]
    with FlopCounterMode(display=False) as counter:
        loss_sum(model, batch).backward()
    formula = flops.count_flops(model).training(length, batch.labels.shape[1])
    attention = sum(n for op, n in counter.get_flop_counts()["Global"].items() if "attention" in str(op))
    assert formula == pytest.approx(counter.get_total_flops() - attention, rel=0.05)


def test_frozen_layers_have_no_backward(decoder, library):
    full = flops.count_flops(decoder.load())
    frozen = flops.count_flops(
        strategies.load_strategy(library.strategy("frozen"), "decoder", {}).adapt(decoder.load(), "decoder")
    )
    assert frozen.per_token < 0.7 * full.per_token
