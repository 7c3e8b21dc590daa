"""Blocks that are computed again in the backward pass, of whatever a strategy makes of a model."""

import pytest

from bench.modeling.recomputation import checkpoint_blocks
from bench.running.adaptation import adapted


@pytest.mark.parametrize("strategy", ["full", "frozen", "lora-8bit", "multitask"])
def test_any_adapted_model_can_be_checkpointed(planned, device, strategy):
    model = adapted(planned(strategy, suite="sentiment"), device)
    assert not any(getattr(module, "gradient_checkpointing", False) for module in model.modules())
    checkpoint_blocks(model)
    assert sum(getattr(module, "gradient_checkpointing", False) for module in model.modules()) >= 2
