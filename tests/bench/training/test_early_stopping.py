"""The watch alone, with scores written down, and in the real loop with a model that overfits."""

import pytest
import torch
from accelerate import Accelerator
from torch import nn

from bench.strategies.base import Hyperparameters
from bench.tokens.encoded import Encoded
from bench.training import loop
from bench.training.early_stopping import EarlyStopping, restore
from bench.training.state import TrainingState


class Counting(nn.Module):
    """Weights that say how many steps it was trained."""

    def __init__(self):
        super().__init__()
        self.trained = nn.Parameter(torch.zeros(2))
        self.frozen = nn.Parameter(torch.full((2,), 7.0), requires_grad=False)


def watched(scores, patience, every, steps):
    """(steps that were trained, what was kept, the model with the best weights back)"""
    model, given, state = Counting(), iter(scores), TrainingState(steps=steps)
    watch = EarlyStopping(lambda _: next(given), patience, every)
    for state.step in range(1, steps + 1):
        with torch.no_grad():
            model.trained += 1
        if watch(model, state):
            break
    restore(model, state.best)
    return state.step, state.best, model


@pytest.mark.parametrize(
    ("scores", "patience", "stopped", "best"),
    [
        ([1, 2, 3, 2, 1, 0, 0], 2, 5, 3),
        ([1, 2, 3, 2, 1, 0, 0], 3, 6, 3),
        ([3, 2, 1], 1, 2, 1),
        ([1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 2, 10, 10),
        ([1, 2, 1, 3, 1, 4, 1, 1], 2, 8, 6),
        ([1, 1, 1, 1], 3, 4, 1),  # as good as the best is not better
        ([-9, -5, -7, -8], 2, 4, 2),
    ],
)
def test_it_stops_after_so_many_validations_without_a_better_score_and_keeps_the_best(scores, patience, stopped, best):
    step, kept, model = watched(scores, patience, 0.1, 10)
    assert step == stopped
    assert model.trained.tolist() == [best, best] and model.frozen.tolist() == [7, 7]
    assert kept.scores == scores[:stopped] and set(kept.weights) == {"trained"}


@pytest.mark.parametrize(
    ("every", "steps", "asked"),
    [(0.25, 8, [2, 4, 6, 8]), (0.3, 10, [3, 6, 9, 10]), (0.01, 3, [1, 2, 3]), (1.0, 5, [5])],
)
def test_it_validates_at_each_share_of_the_steps_and_at_the_end(every, steps, asked):
    seen = []
    watch = EarlyStopping(lambda model: seen.append(int(model.trained[0])) or float(len(seen)), 99, every)
    model, state = Counting(), TrainingState(steps=steps)
    for state.step in range(1, steps + 1):
        with torch.no_grad():
            model.trained += 1
        assert not watch(model, state)
    assert seen == asked


def test_weights_are_kept_under_their_own_names_inside_a_launchers_wrapper():
    class Wrapper(nn.Module):
        def __init__(self, module):
            super().__init__()
            self.module = module

    model, state = Counting(), TrainingState(step=1, steps=1)
    EarlyStopping(lambda _: 1.0, 1, 1.0)(Wrapper(model), state)
    with torch.no_grad():
        model.trained += 5
    restore(model, state.best)
    assert model.trained.tolist() == [0, 0]


def test_in_the_loop_the_best_weights_come_back(decoder):
    """One text is learned; another, which is watched, gets likelier and then unlikelier again."""
    model = decoder.load()
    learned = [Encoded((1, *range(20, 32)), answer=12)]
    other = torch.tensor([[1, *range(20, 26), *range(60, 66)]])

    def score(watched):
        assert not watched.training
        with torch.no_grad():
            return -watched(input_ids=other, labels=other).loss.item()

    watch = EarlyStopping(score, 3, 0.05)
    values = Hyperparameters(learning_rate=0.01, schedule="constant")
    state = loop.train(model, [learned] * 60, values, Accelerator(cpu=True), loop.Padding(0, 1000), watches=[watch])
    kept = state.best
    assert state.step < 60 and state.step == 3 * len(kept.scores)
    assert kept.scores.index(max(kept.scores)) < len(kept.scores) - 1 and max(kept.scores) > kept.scores[0]
    assert score(model.eval()) < max(kept.scores) - 1e-3
    restore(model, kept)
    assert score(model) == max(kept.scores)
