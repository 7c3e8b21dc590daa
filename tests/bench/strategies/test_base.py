"""What a strategy is when its file says nothing, and which hyper-parameters are refused."""

import pytest
import torch
from torch import nn

from bench.errors import UserError
from bench.strategies.base import Hyperparameters, Strategy, Untrained


def test_a_strategy_that_says_nothing_trains_all_on_its_own_task():
    chosen = Strategy("plain", Hyperparameters(learning_rate=0.1))
    model = nn.Linear(2, 2)
    assert chosen.adapt(model, "decoder") is model and chosen.trains
    assert chosen.shares("own", {"own": 3, "other": 5}, True, 0.5) == {"own": 1.0}
    assert (chosen.tasks, chosen.rehearsal, chosen.bits, chosen.wording.shots) == ([], None, 32, 0)


def test_what_must_be_kept_is_what_trains_and_has_no_graph():
    model = nn.Sequential(nn.Linear(2, 3), nn.Linear(3, 1))
    model[0].weight.requires_grad_(False)
    saved = Strategy("plain", Hyperparameters(learning_rate=0.1)).trained_state(model)
    assert set(saved) == {"0.bias", "1.weight", "1.bias"}
    assert not any(tensor.requires_grad for tensor in saved.values())
    assert torch.equal(saved["1.weight"], model[1].weight)


@pytest.mark.parametrize(
    "wrong",
    [
        {"learning_rate": 0},
        {"learning_rate": 1},
        {"warmup": 1.0},
        {"weight_decay": -0.1},
        {"schedule": "cosine"},
        {"early_stopping": 0},
        {"validate_every": 0},
        {"dropout": 1.0},
        {"label_smoothing": 1.0},
        {"augmentation": -0.1},
    ],
)
def test_a_value_that_cannot_be_meant_is_named(strategy, wrong):
    with pytest.raises(UserError, match=f"strategy 'full': .*{next(iter(wrong))}"):
        strategy("full", **wrong)


def test_what_nothing_reads_is_refused(strategy):
    """It would make a run of its own, of the same training."""
    with pytest.raises(UserError, match="validate_every changes nothing without early_stopping; set that too, or leave it out"):
        strategy("full", validate_every=0.05)
    assert strategy("full", validate_every=0.05, early_stopping=2).hyperparameters.validate_every == 0.05
    assert strategy("full", validate_every=0.1).hyperparameters.early_stopping is None  # as it is without being said


def test_hyperparameters_are_what_was_said_and_stay_so():
    with pytest.raises(ValueError, match="learnig_rate"):
        Hyperparameters(learning_rate=0.1, learnig_rate=0.2)
    with pytest.raises(ValueError, match="frozen"):
        Hyperparameters(learning_rate=0.1).warmup = 0.5
    with pytest.raises(ValueError, match="learning_rate"):  # has no default: none is right for all strategies
        Hyperparameters()
    with pytest.raises(ValueError, match="learning_rate"):
        Untrained(learning_rate=0.1)
