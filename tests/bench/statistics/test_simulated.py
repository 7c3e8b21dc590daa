"""Simulated tables are like the real one in what intervals are made of, and their truth is known."""

from dataclasses import replace

import numpy as np
import pytest

from bench.statistics.drawn_scores import scoring_of_sums
from bench.statistics.jackknife import clusters_of, of_counts
from bench.statistics.likeness import Tables
from bench.statistics.simulated import likeness, likeness_of_counts


def test_chances_keep_the_rows_covariances_without_the_seeds_own_chance(answered):
    right, base, clusters = answered(3, 3, 4000)
    found = likeness(right, base, clusters)
    shares = right.mean(1)
    expected = np.cov(shares, bias=True) - np.diag(right.var(1, ddof=1).mean(-1) / 3)
    assert np.cov(found.chances, bias=True) == pytest.approx(expected, rel=0.02)
    assert found.truths == pytest.approx(shares.mean(-1), abs=0.002)
    # Two seeds of the same row have that covariance over items: it is the engine's, by another way.
    pairs = [np.cov(right[0, a], right[0, b], bias=True)[0, 1] for a, b in ((0, 1), (0, 2), (1, 2))]
    assert np.var(found.chances[0]) == pytest.approx(np.mean(pairs), rel=0.02)


def test_scores_vary_over_seeds_as_the_table_s_do(answered):
    """On endless items with the fitted SD; on these with the own chance besides, which makes the table's variance again."""
    right, base, clusters = answered(5, 3, 500, sigma=0.15)
    found = likeness(right, base, clusters)
    drawn = Tables(found, 40).draw(20, np.random.default_rng(0))
    own = right.var(1, ddof=1).mean()
    expected = right.mean(-1).var(-1, ddof=1).mean()
    assert found.sd**2 + own / 500 == pytest.approx(expected)
    assert drawn.rows.values.var(-1, ddof=1).mean() == pytest.approx(expected, rel=0.1)


def test_graded_answers_vary_over_seeds_as_the_table_s_do(answered):
    """Values of 0, 1/3, 2/3 and 1: three answers to each item, of which a seed gets the mean."""
    thirds = [answered(3, 3, 3000, sigma=0.0, seed=seed) for seed in range(3)]
    right, base, clusters = np.mean([each[0] for each in thirds], axis=0), thirds[0][1], thirds[0][2]
    found = likeness(right, base, clusters)
    own = right.var(1, ddof=1).mean()
    assert 0.2 < found.part < 0.9 and found.own.mean() == pytest.approx(own)
    assert found.share(0.8) is None and likeness(*answered(2, 2, 100)).share(0.8) == 0.8
    drawn = Tables(replace(found, sd=0.0), 40).draw(1, np.random.default_rng(0)).rows
    assert drawn.values.mean((0, 2)) == pytest.approx(found.truths, abs=0.02)
    # With no seed that is better than another, what moves a score over seeds is its own answers, here to 3,000 items.
    assert drawn.values.var(-1, ddof=1).mean() == pytest.approx(own / 3000, rel=0.3)


def test_a_better_seed_moves_graded_answers_as_a_whole(answered):
    found = replace(likeness(*answered(2, 2, 2000)), sd=0.03, part=0.5)
    drawn = Tables(found, 400).draw(1, np.random.default_rng(0))
    assert drawn.rows.values.std(-1).mean() == pytest.approx(0.03, rel=0.15)


def test_truth_is_the_mean_of_what_is_drawn(answered):
    right, base, clusters = answered(2, 2, 300, sigma=0.2)
    found = likeness(right, base, clusters)
    drawn = Tables(found, 3).draw(500, np.random.default_rng(1))
    assert drawn.rows.values.mean((0, 2)) == pytest.approx(found.truths, abs=0.004)
    assert drawn.base.values.mean() == pytest.approx(base.mean(), abs=0.004)


def test_rows_can_be_doubled_and_shifted(answered):
    found = likeness(*answered(3, 2, 300))
    twice = found.of([1, 1])
    assert (twice.chances[0] == twice.chances[1]).all() and twice.sd == found.sd
    equal = found.of([0, 1, 2], [0.8, 0.8, 0.75])
    assert equal.truths == pytest.approx([0.8, 0.8, 0.75])
    # An item that is hard stays hard.
    assert (np.argsort(equal.chances[0]) == np.argsort(found.chances[0])).all()


def test_rows_that_always_answer_alike():
    """Collapsed rows leave nothing to vary, and break nothing."""
    right = np.zeros((2, 2, 100))
    right[:, :, :51] = 1
    found = likeness(right, right[0, 0], clusters_of(None, 100))
    assert found.sd == 0 and np.isfinite(Tables(found, 2).draw(3, np.random.default_rng(0)).rows.values).all()


def test_scores_of_sums_vary_over_seeds_and_items_as_the_table_s_do(entities):
    """Of one large table, in what all intervals are made of: each row's and each pair's variances."""
    counts, scoring, clusters = entities(3, 8, 4000)
    found = likeness_of_counts(counts, scoring, clusters)
    real = of_counts(counts, scoring.number, clusters)
    drawn = Tables(found, 8).draw(4, np.random.default_rng(0))
    assert found.truths == pytest.approx(real.values.mean(-1), abs=0.002)
    assert drawn.rows.values.mean((0, 2)) == pytest.approx(found.truths, abs=0.02)
    own = scoring.moved(counts.mean(1).sum(1), counts).var(1, ddof=1).mean(-1)
    assert found.own.mean() == pytest.approx(own.mean()) and 0.4 < found.part < 0.9
    assert drawn.spread.variance.mean() == pytest.approx(real.values.var(-1, ddof=1).mean(), rel=0.3)
    assert drawn.rows.items_variance.mean() == pytest.approx(real.items_variance.mean(), rel=0.06)
    between = [drawn.rows.row(0).items_covariance(drawn.rows.row(other)).mean() for other in (1, 2)]
    rows = [replace(real, values=real.values[row], shifts=real.shifts[row]) for row in range(3)]
    assert between == pytest.approx([rows[0].items_covariance(rows[other]) for other in (1, 2)], rel=0.1)
    # Its precision and recall are the table's too, and not others that would make the same F1.
    sums = scoring.worst.sum(0) + found.chances @ (scoring.best - scoring.worst)
    assert sums / 4000 == pytest.approx(counts.mean((1, 2)), rel=0.03)


def test_truth_of_sums_is_the_mean_over_seeds_and_not_the_mean_seed_s(answered):
    """A score that is curved as none is: the square of a share, whose mean is its mean's square and its variance."""
    right, base, clusters = answered(2, 2, 300)
    counts, (untouched, empty, perfect) = (
        np.stack([values, np.ones_like(values)], axis=-1) for values in (right, np.stack([base, 0 * base, 0 * base + 1]))
    )
    scoring = scoring_of_sums(
        counts.reshape(4, 300, 2),
        untouched,
        empty,
        perfect,
        lambda totals: (totals[..., 0] / totals[..., 1]) ** 2,
        lambda each: each[..., 1],
    )
    found = replace(likeness_of_counts(counts, scoring, clusters), sd=0.15)
    tables, generator = Tables(found, 20, items=600), np.random.default_rng(0)
    values = np.concatenate([tables.draw(25, generator).rows.values for _ in range(12)])
    assert values.std(-1).mean() == pytest.approx(0.15, rel=0.05)
    assert found.truths == pytest.approx(values.mean((0, 2)), abs=0.004)
    assert (found.truths - scoring.scores(found.chances) > 0.006).all()


def test_truth_of_entity_f1_is_what_many_items_show(entities):
    found = replace(likeness_of_counts(*entities(2, 2, 300)), sd=0.03)
    drawn = Tables(found, 3).draw(400, np.random.default_rng(1))
    assert drawn.rows.values.mean((0, 2)) == pytest.approx(found.truths, abs=0.004)
    assert drawn.base.values.mean() == pytest.approx(found.scoring.untouched, abs=0.004)


def test_rows_of_sums_can_be_shifted(entities):
    found = replace(likeness_of_counts(*entities(3, 2, 300)), sd=0.05)
    equal = found.of([0, 1, 1], [0.6, 0.6, 0.5])
    assert equal.truths == pytest.approx([0.6, 0.6, 0.5]) and equal.sd == 0.05
    assert 0 <= found.lowest < 0.3 and found.share(0.6) is None


def test_whole_clusters_of_sums_are_redrawn(entities):
    tables = Tables(likeness_of_counts(*entities(2, 2, 400, clusters=40)), 2)
    drawn = tables.draw(1, np.random.default_rng(0))
    assert tables.size == 1 and drawn.rows.shifts.shape == (1, 2, 2, 40) and drawn.base.shifts.shape == (1, 1, 1, 40)


@pytest.mark.parametrize("score", [0.0, 1.0])
@pytest.mark.filterwarnings("error")
def test_entities_that_nobody_finds_or_all_find(entities, score):
    counts, scoring, clusters = entities(2, 2, 100)
    gold = counts[..., 2:]
    alike = np.concatenate([score * gold, score * gold, gold], axis=-1)
    empty, perfect = (np.concatenate([found, found, gold[0, 0]], axis=-1) for found in (0 * gold[0, 0], gold[0, 0]))
    of = scoring_of_sums(alike.reshape(4, 100, 3), empty, empty, perfect, scoring.number, scoring.weights)
    found = likeness_of_counts(alike, of, clusters)
    assert found.sd == 0 and found.truths == pytest.approx([score] * 2, abs=0.001)
    assert np.isfinite(Tables(found, 2).draw(3, np.random.default_rng(0)).rows.values).all()
