"""Shifts are those of scores computed anew without each item or cluster, and give the textbooks' variances."""

from itertools import combinations

import numpy as np
import pytest
from scipy.special import ndtr
from scipy.stats import spearmanr
from sklearn.metrics import f1_score, roc_auc_score

from bench import metrics
from bench.statistics import jackknife
from bench.statistics.intervals import Spread, of_pair
from bench.statistics.jackknife import Jackknifed, clusters_of, of_auc, of_counts, of_scores


def means(values: np.ndarray) -> np.ndarray:
    """Values, (seeds, items), as counts."""
    return np.stack([values, np.ones_like(values)], axis=-1)


def mean(totals: np.ndarray) -> np.ndarray:
    return totals[..., 0] / totals[..., 1]


def test_variance_of_a_mean_is_the_sample_variance_over_n():
    values = np.random.default_rng(0).normal(size=(1, 50))
    found = of_counts(means(values), mean, clusters_of(None, 50))
    assert found.freedom == 49 and found.values == pytest.approx(values.mean(1))
    assert found.items_variance == pytest.approx(values.var(ddof=1) / 50)


def test_covariance_of_seeds_is_the_sample_covariance_over_n():
    values = np.random.default_rng(0).normal(size=(3, 1, 40)) + np.random.default_rng(1).normal(size=40)
    one, two, three = (of_counts(means(row), mean, clusters_of(None, 40)) for row in values)
    assert one.items_covariance(two) == pytest.approx(np.cov(values[0, 0], values[1, 0])[0, 1] / 40)
    row = of_counts(means(values[:, 0]), mean, clusters_of(None, 40))
    of_pairs = [a.items_covariance(b) for a, b in ((one, two), (one, three), (two, three))]
    assert row.items_variance == pytest.approx(np.mean(of_pairs))


def test_clusters_of_one_size_are_as_if_their_means_were_items():
    values = np.random.default_rng(0).normal(size=(2, 60))
    films = [f"film {n % 12}" for n in range(60)]
    whole = of_counts(means(values), mean, clusters_of(films, 60))
    averaged = np.stack([values[:, n::12].mean(1) for n in range(12)], axis=1)
    assert (whole.freedom, whole.clusters.effective) == (11, 12)
    assert whole.items_variance == pytest.approx(of_counts(means(averaged), mean, clusters_of(None, 12)).items_variance)


def test_effective_clusters_of_unlike_sizes():
    found = clusters_of([n for n, size in enumerate([10, 10, 5, 5, 5, 5]) for _ in range(size)], 40)
    assert found.effective == pytest.approx(1600 / 300) and found.few and found.single
    assert len(set(found.codes)) == 6
    # Fewer than 8: items are left out one by one, and only new items of these clusters are claimed.
    assert of_counts(means(np.arange(40.0)[None] % 7), mean, found).freedom == 39


def test_items_without_a_label_are_clusters_of_their_own():
    found = clusters_of(["a", "a", None, float("nan"), *(str(n) for n in range(8)), "0"], 13)
    assert len(set(found.codes)) == 11 and not found.few and not found.single
    assert clusters_of([None] * 5, 5).single and clusters_of(list("abcde"), 5).effective == 5


def test_degrees_of_freedom_are_counted_by_what_the_number_rests_on():
    """Ten films of six items: by items ten say as much, and by weights 1, 1, ..., 1, 5 fewer."""
    films, values = np.arange(60) % 10, np.random.default_rng(0).random((2, 60))
    weights = np.where(films == 9, 5.0, 1.0)

    def freedom(weights: np.ndarray, labels: np.ndarray | None = films) -> float:
        clusters = clusters_of(labels, 60)
        return float(of_counts(means(values), mean, clusters, np.broadcast_to(weights, values.shape)).freedom)

    assert freedom(np.ones(60)) == of_counts(means(values), mean, clusters_of(films, 60)).freedom == 9
    assert freedom(weights) == pytest.approx((9 + 5) ** 2 / (9 + 25) - 1)
    # Where items are left out one by one they weigh each by itself.
    assert freedom(weights, None) == pytest.approx((54 + 30) ** 2 / (54 + 6 * 25) - 1)
    # Of two seeds that which rests on less, and where nothing weighs anything all items do.
    assert freedom(np.stack([np.ones(60), weights])) == freedom(weights) and freedom(np.zeros(60)) == 9
    # One film that has all of it: no less than one degree of freedom, of which alone there is a t.
    assert freedom((films == 3).astype(float)) == 1


def separated_and_held(found: Jackknifed) -> tuple[float, float]:
    """Of tables of equal rows: in what share two of them are told apart, and how often a pair's interval holds zero."""
    rows, seeds = found.values.shape[1:]
    spread = Spread(found.values.var(-1, ddof=1).mean(-1), rows * (seeds - 1))
    pairs = list(combinations([found.row(row) for row in range(rows)], 2))
    apart = [np.abs(a.values.mean(-1) - b.values.mean(-1)) for a, b in pairs]
    margins = [of_pair(a, b, spread) for a, b in pairs]
    levels = 0.05 / len(pairs), 0.05
    beyond = [np.stack([d > m.half_width(level) for d, m in zip(apart, margins, strict=True)]) for level in levels]
    return float(beyond[0].any(0).mean()), float(1 - beyond[1].mean())


def test_equal_rows_are_seldom_told_apart_where_few_clusters_hold_the_entities():
    """Sixteen clusters with ten entities each on average, of which few hold most. Planted fault: by items they are sixteen, and
    equal rows were told apart in .116 of tables; by entities they are six, and it is .064."""
    generator, tables, rows, seeds = np.random.default_rng(1), 2_000, 5, 3
    gold = generator.poisson(10 * generator.gamma(0.5, 2.0, (tables, 1, 1, 16)))
    hard = 0.5 * generator.standard_normal((tables, 1, 1, 16)) + 0.5 * generator.standard_normal((tables, rows, 1, 16))
    better = 0.5 + 0.06 * generator.standard_normal((tables, rows, seeds, 1))
    hits = generator.binomial(np.broadcast_to(gold, (tables, rows, seeds, 16)), ndtr(better - hard))
    alarms = generator.poisson(0.3 * gold + 0.3, hits.shape)
    counts = np.stack(np.broadcast_arrays(hits, hits + alarms, gold), axis=-1).astype(float)
    # A cluster has two sentences, of which the first has all its entities.
    sentences = np.zeros((tables, rows, seeds, 32, 3))
    sentences[..., ::2, :] = counts
    clusters, f1 = clusters_of(np.arange(32) // 2, 32), metrics.counted("entity_f1")
    by_entities = of_counts(sentences, f1.number, clusters, f1.weights(sentences))
    by_items = of_counts(sentences, f1.number, clusters)
    assert by_items.freedom == 15 and 4.5 < np.median(by_entities.freedom) < 5.5
    separated, held = separated_and_held(by_entities)
    assert separated <= 0.07 and 0.945 <= held <= 0.97
    separated, held = separated_and_held(by_items)
    assert separated > 0.1 and held < 0.93


@pytest.mark.parametrize("name", ["f1_macro", "accuracy", "entity_f1"])
def test_leaving_out_is_the_metric_without_that_item(name):
    generator, metric = np.random.default_rng(0), metrics.counted(name)
    tags = np.array(["O", "B-A", "B-B"])
    golds, guesses = generator.integers(3, size=(2, 30, 4))
    golds, guesses = ([[str(tag) for tag in tags[row]] for row in side] for side in (golds, guesses))
    if name != "entity_f1":
        golds, guesses = ([" ".join(row[:1]) for row in side] for side in (golds, guesses))
    found = of_counts(metric.counts(guesses, golds)[None], metric.number, clusters_of(None, 30))
    left = [metric.value(guesses[:n] + guesses[n + 1 :], golds[:n] + golds[n + 1 :]) for n in range(30)]
    assert found.shifts[0] == pytest.approx((np.array(left) - np.mean(left)) * np.sqrt(29 / 30))
    if name == "f1_macro":
        assert found.values[0] == pytest.approx(f1_score(golds, guesses, average="macro"))


def delong(first: np.ndarray, second: np.ndarray, positive: np.ndarray) -> float:
    """Variance of the difference of two AUCs by loops over pairs, as in DeLong et al. 1988, section 3."""
    placed = []
    for values in (first, second):
        wins = np.array([[(a > b) + 0.5 * (a == b) for b in values[~positive]] for a in values[positive]])
        placed.append((wins.mean(1), wins.mean(0)))
    ups, downs = zip(*placed, strict=True)
    matrix = np.cov(np.stack(ups)) / positive.sum() + np.cov(np.stack(downs)) / (~positive).sum()
    return matrix[0, 0] + matrix[1, 1] - 2 * matrix[0, 1]


def test_auc_and_its_variance_are_delong_s():
    generator = np.random.default_rng(0)
    positive = generator.random(60) < 0.7
    values = np.round(generator.normal(size=(2, 60)) + positive, 1)
    found = of_auc(values, positive, clusters_of(None, 60))
    assert found.values == pytest.approx([roc_auc_score(positive, row) for row in values])
    first, second = (of_auc(row[None], positive, clusters_of(None, 60)) for row in values)
    assert (first - second).items_variance == pytest.approx(delong(*values, positive))
    assert found.freedom == (~positive).sum() - 1


def test_auc_of_whole_clusters_and_of_one_class():
    generator = np.random.default_rng(0)
    positive = np.arange(60) % 3 == 0
    values = generator.normal(size=(1, 60)) + positive
    twice = of_auc(np.repeat(values, 2, axis=1), np.repeat(positive, 2), clusters_of(np.repeat(np.arange(60), 2), 120))
    # Each item told twice is no more than told once.
    assert twice.items_variance == pytest.approx(of_auc(values, positive, clusters_of(None, 60)).items_variance)
    assert np.isnan(of_auc(values, np.arange(60) == 3, clusters_of(None, 60)).shifts).any()


def test_auc_rests_on_the_clusters_that_hold_its_smaller_class():
    """Twelve clusters of ten items, of which two hold all positives: a class' mean varies the more the fewer its items are."""
    films = np.arange(120) // 10
    values = np.random.default_rng(0).normal(size=(1, 120))
    even, uneven = ((np.arange(120) % 10 < 1), (np.arange(120) < 12))
    assert of_auc(values, even, clusters_of(films, 120)).freedom == pytest.approx(11)
    weights = np.array([10 / 12**2, 2 / 12**2 + 8 / 108**2, *[10 / 108**2] * 10])
    expected = weights.sum() ** 2 / (weights**2).sum() - 1
    assert of_auc(values, uneven, clusters_of(films, 120)).freedom == pytest.approx(max(expected, 1))


def test_score_that_is_no_sum_is_computed_anew():
    generator = np.random.default_rng(0)
    gold, values = generator.normal(size=20), generator.normal(size=(2, 20))
    films = np.arange(20) // 2
    found = of_scores(lambda i: [spearmanr(gold[i], row[i]).statistic for row in values], clusters_of(films, 20))
    left = [spearmanr(gold[films != n], values[1][films != n]).statistic for n in range(10)]
    assert found.shifts[1] == pytest.approx((np.array(left) - np.mean(left)) * np.sqrt(9 / 10))


def test_rows_side_by_side_are_as_one_by_one():
    values = np.random.default_rng(0).random((4, 3, 25))
    found = of_counts(means(values), mean, clusters_of(None, 25))
    each = [of_counts(means(row), mean, clusters_of(None, 25)).items_variance for row in values]
    assert found.items_variance == pytest.approx(np.array(each))


def test_difference_of_a_model_from_itself_is_exactly_nothing():
    row = of_counts(means(np.random.default_rng(0).random((2, 25))), mean, clusters_of(None, 25))
    gone = (row - row) * -1.0
    assert not gone.values.any() and not gone.shifts.any() and not np.signbit(gone.values).any()


def test_bar_of_clusters_is_the_design_s():
    assert jackknife.ENOUGH_CLUSTERS == 8
