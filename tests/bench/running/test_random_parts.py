"""Whether a part of the seed draws random numbers: what the generators say, and what models do."""

import random
from dataclasses import replace

import numpy as np
import pytest
import torch
from accelerate.utils import set_seed

from bench.running.adaptation import adapted
from bench.running.random_parts import RandomParts
from bench.strategies import with_values


@pytest.mark.parametrize("draw", [lambda: torch.rand(1), lambda: np.random.rand(), random.random])
def test_whatever_is_drawn_from_is_seen(draw):
    draws = RandomParts()
    with draws.of("init"):
        np.random.default_rng(0).random(), torch.rand(2, generator=torch.Generator()), torch.zeros(3).sum()
    with draws.of("dropout"):
        draw()
    assert draws.parts == ["order", "dropout"]


def trained(run, device):
    """The trained weights of a run as it is adapted."""
    draws = RandomParts()
    with draws.of("init"):
        model = adapted(run, device)
    return draws.parts, torch.cat([p.detach().flatten().cpu() for p in model.parameters() if p.requires_grad])


@pytest.mark.parametrize("model", ["tiny-bert", "decoder"])
@pytest.mark.parametrize("strategy", ["full", "frozen", "lora-8bit", "multitask"])
def test_a_part_that_draws_nothing_is_one_that_another_seed_does_not_move(strategy, model, planned, device, decoder_folder):
    run = planned(strategy, "sentiment", decoder_folder if model == "decoder" else model)
    set_seed(0)
    parts, weights = trained(run, device)
    set_seed(1)
    _, other = trained(run, device)
    assert ("init" in parts) == (not torch.equal(weights, other)) == (model == "tiny-bert" or strategy == "lora-8bit")


@pytest.mark.parametrize("share", [0.0, 0.1])
def test_dropout_is_seen_where_there_is_some(share, planned, device, decoder_folder, encoder, decoding):
    for name in ("tiny-bert", decoder_folder):
        run = planned("full", "sentiment", name)
        run = replace(run, strategy=with_values(run.strategy, {"dropout": share}))
        draws, model = RandomParts(), adapted(run, device).train()
        with draws.of("dropout"):
            model(input_ids=torch.ones(1, 8, dtype=torch.long))
        assert draws.parts == (["order", "dropout"] if share else ["order"])
