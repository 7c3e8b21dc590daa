"""What answers count, and how far one item moves the score that is made of their sums."""

import numpy as np
import pytest

from bench.statistics.drawn_scores import scoring_of_mean, scoring_of_sums
from bench.statistics.jackknife import of_counts


def test_a_mean_moves_by_its_values():
    scoring = scoring_of_mean(np.array([1.0, 0.0, 0.5, 0.5]))
    assert scoring.of_mean and scoring.untouched == 0.5
    values = np.array([[0.2, 0.9, 0.4, 0.1], [1.0, 1.0, 0.0, 0.0]])
    assert scoring.scores(values) == pytest.approx([0.4, 0.5])
    assert scoring.reach(values) == pytest.approx(np.ones((2, 4)))
    drawn = scoring.counts(values[None, :, None, :2], np.array([[3, 3]]))
    assert drawn.tolist() == [[[[[0.2, 1.0], [0.9, 1.0]]], [[[1.0, 1.0], [1.0, 1.0]]]]]


def test_moves_make_the_variance_over_items(entities):
    """Their mean square by the items is the jackknife's variance; as F1 is no sum, it is so to first order."""
    counts, scoring, clusters = entities(2, 3, 2000)
    moved = scoring.moved(counts.mean(1).sum(1), counts.mean(1))
    assert moved.mean(-1) == pytest.approx([0, 0], abs=1e-6)
    jackknifed = of_counts(counts.mean(1)[:, None], scoring.number, clusters)
    assert moved.var(-1) / 2000 == pytest.approx(jackknifed.items_variance, rel=0.005)


def test_the_way_leads_through_the_mean_of_the_answers(entities):
    """So that drawn tables have the precision and the recall of the real ones."""
    counts, scoring, _ = entities(3, 2, 400)
    runs = counts.reshape(6, 400, 3)
    ways = scoring.best - scoring.worst
    past = (runs.mean(0) - scoring.worst) / np.where(ways, ways, np.nan)
    # Hits and predictions are as far from their worst, and the same of the gold ones is both.
    leads = ~np.isnan(past[:, :2]).any(-1)
    assert leads.sum() > 200 and past[leads, 0] == pytest.approx(past[leads, 1])
    assert (ways[:, 2] == 0).all() and (scoring.worst >= 0).all() and (scoring.worst[:, 0] <= scoring.worst[:, 1] + 1e-9).all()


def f1(totals):
    return 2 * totals[..., 0] / (totals[..., 1] + totals[..., 2])


def held(counts):
    return counts[..., 1] + counts[..., 2]


def test_answers_that_are_all_perfect_can_become_worse():
    """Of two items with one entity and none, the first can be missed, and the second leads nowhere."""
    perfect, empty = np.array([[1.0, 1.0, 1.0], [0.0, 0.0, 0.0]]), np.array([[0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
    scoring = scoring_of_sums(np.stack([perfect] * 2), empty, empty, perfect, f1, held)
    assert scoring.worst.tolist() == empty.tolist() and scoring.best.tolist() == perfect.tolist()
    # At totals of .5, .5 and 1, F1 is 2/3. A hit more adds 2 / 1.5, and its prediction takes 2/3 / 1.5; and there are 2 items.
    assert scoring.reach(np.array([[0.5, 0.5]])) == pytest.approx(np.array([[2 * (2 - 2 / 3) / 1.5, 0.0]]), rel=1e-5)


def test_no_answer_counts_less_than_none():
    """The untouched model has four false alarms. On the way there from a hit, through one of two, hits end first."""
    hit, alarm, alarms, none = (np.array([[hits, predicted, 1.0]]) for hits, predicted in ((1, 1), (0, 1), (0, 4), (0, 0)))
    scoring = scoring_of_sums(np.stack([hit, alarm]), alarms, none, hit, f1, held)
    assert scoring.worst.tolist() == alarm.tolist() and scoring.best.tolist() == hit.tolist()
