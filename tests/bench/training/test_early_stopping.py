"""The watch alone, with scores written down, and in the real loop with a model that overfits."""

import pytest
import torch
from accelerate import Accelerator
from torch import nn

from bench.strategies.base import Hyperparameters
from bench.tokens.encoded import Encoded
from bench.training import loop
from bench.training.early_stopping import EarlyStopping


class Counting(nn.Module):
    """Weights that say how many steps it was trained."""

    def __init__(self):
        super().__init__()
        self.trained = nn.Parameter(torch.zeros(2))
        self.frozen = nn.Parameter(torch.full((2,), 7.0), requires_grad=False)


def watched(scores, patience, every, steps):
    """(steps that were trained, the watch, the model with the best weights back)"""
    model, given = Counting(), iter(scores)
    watch = EarlyStopping(lambda _: next(given), patience, every)
    for step in range(1, steps + 1):
        with torch.no_grad():
            model.trained += 1
        if watch(model, step, steps):
            break
    watch.restore(model)
    return step, watch, model


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
    step, watch, model = watched(scores, patience, 0.1, 10)
    assert (step, watch.best_step) == (stopped, best)
    assert model.trained.tolist() == [best, best] and model.frozen.tolist() == [7, 7]
    assert watch.scores == scores[:stopped] and set(watch.best) == {"trained"}


@pytest.mark.parametrize(
    ("every", "steps", "asked"),
    [(0.25, 8, [2, 4, 6, 8]), (0.3, 10, [3, 6, 9, 10]), (0.01, 3, [1, 2, 3]), (1.0, 5, [5])],
)
def test_it_validates_at_each_share_of_the_steps_and_at_the_end(every, steps, asked):
    seen = []
    watch = EarlyStopping(lambda model: seen.append(int(model.trained[0])) or float(len(seen)), 99, every)
    model = Counting()
    for step in range(1, steps + 1):
        with torch.no_grad():
            model.trained += 1
        assert not watch(model, step, steps)
    assert seen == asked


def test_weights_are_kept_under_their_own_names_inside_a_launchers_wrapper():
    class Wrapper(nn.Module):
        def __init__(self, module):
            super().__init__()
            self.module = module

    model = Counting()
    watch = EarlyStopping(lambda _: 1.0, 1, 1.0)
    watch(Wrapper(model), 1, 1)
    with torch.no_grad():
        model.trained += 5
    watch.restore(model)
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
    spent = loop.train(model, [learned] * 60, values, Accelerator(cpu=True), 0, 1000, watch=watch)
    assert spent.steps < 60 and spent.steps == 3 * len(watch.scores)
    assert watch.best_step < spent.steps and max(watch.scores) > watch.scores[0]
    assert score(model.eval()) < max(watch.scores) - 1e-3
    watch.restore(model)
    assert score(model) == max(watch.scores)
