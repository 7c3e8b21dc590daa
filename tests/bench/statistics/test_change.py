"""Verdicts of changes by hand and against scipy's quantiles, and how often each is said of changes whose truth is known."""

from dataclasses import fields

import numpy as np
import pytest
from scipy.stats import beta, norm, t

from bench.metrics import counted
from bench.statistics.change import change_verdicts
from bench.statistics.detectable import detectable
from bench.statistics.intervals import Margin, Spread, of_pair
from bench.statistics.jackknife import clusters_of, of_counts


def margin(seeds: float = 0.0, freedom: float = 0, items: float = 0.0, clusters: float = 1000.0) -> Margin:
    return Margin(np.array([seeds]), np.array([freedom]), np.array([items]), np.array([clusters]))


def said(rise: float, of: Margin, within: float) -> str:
    return str(change_verdicts(np.array([rise]), of, within).verdicts[0])


def test_the_four_verdicts():
    narrow, wide = margin(items=0.002**2), margin(items=0.03**2)
    assert said(-0.05, narrow, 0.02) == "worse" and said(0.05, narrow, 0.02) == "better"
    assert said(0.001, narrow, 0.02) == "same" and said(0.001, wide, 0.02) == "can't tell"


def test_sameness_is_two_one_sided_t_tests():
    """By hand: |d| + t(.96) s < X, at both sides of the edge."""
    edge = 0.02 - float(t.ppf(0.96, 1000)) * 0.004
    of = margin(items=0.004**2)
    assert said(edge - 1e-6, of, 0.02) == said(-edge + 1e-6, of, 0.02) == "same"
    assert said(edge + 1e-6, of, 0.02) == "better" and said(-edge - 1e-6, of, 0.02) == "worse"


def test_what_is_surely_smaller_than_nobody_minds_is_the_same_though_it_is_not_zero():
    assert said(-0.01, margin(items=0.001**2), 0.02) == "same"
    assert said(-0.01, margin(items=0.001**2), 0.0) == "worse"


def test_changes_are_corrected_for_their_number():
    """p = .02 alone; three more that show nothing make .08 of it."""
    rise = -float(t.ppf(0.99, 1000)) * 0.01
    alone = change_verdicts(np.array([rise]), margin(items=1e-4), 0.0)
    many = change_verdicts(np.array([rise, 0, 0, 0]), Margin(*(np.full(4, v) for v in (0.0, 0, 1e-4, 1000))), 0.0)
    assert alone.p[0] == pytest.approx(0.02, abs=1e-6) and alone.verdicts[0] == "worse"
    assert many.p[0] == pytest.approx(0.08, abs=1e-6) and many.verdicts[0] == "can't tell"


def test_no_change_at_all():
    assert change_verdicts(np.array([]), margin(), 0.1).verdicts.size == 0
    assert said(0.0, margin(), 0.05) == "same" and said(0.0, margin(), 0.0) == "same"
    assert said(0.0, margin(items=0.01**2), 0.0) == "can't tell"
    # Counted work varies by nothing: any change of it is one.
    assert said(-0.06, margin(), 0.05) == "worse" and said(-0.04, margin(), 0.05) == "same"


@pytest.mark.parametrize("within", [0.0, 0.03, 0.1])
def test_what_is_said_to_be_found_is_found_and_what_nobody_minds_is_seldom_called_same(within):
    """Falls of the detectable size are worse in 80 of 100 draws; falls of X are the same in at most 5."""
    generator, count = np.random.default_rng(0), 8_000
    of = Margin(0.01**2, 12, 0.012**2, 870)
    drawn = generator.standard_normal(count) * np.hypot(0.01, 0.012)
    seen = Margin(of.seeds * generator.chisquare(12, (count, 1)) / 12, 12, of.items, 870)
    fall = detectable(of, within=within).value
    worse = change_verdicts((drawn - fall)[:, None], seen, within).verdicts == "worse"
    assert worse.mean() == pytest.approx(0.8, abs=0.015)
    same = change_verdicts((drawn - within)[:, None], seen, within).verdicts == "same"
    assert same.mean() <= 0.05
    if within == 0.1:
        assert same.mean() > 0.03 and (change_verdicts(drawn[:, None], seen, within).verdicts == "same").mean() > 0.99


@pytest.mark.parametrize(("items", "same"), [(16, False), (100, False), (872, True)])
def test_few_items_that_did_not_move_show_no_sameness(items, same):
    """Of n of which none has moved, a share of 1 - .04^(1/n) may."""
    still = margin(clusters=items - 1.0)
    verdict = str(change_verdicts(np.array([0.0]), still, 0.02, np.array([1.0])).verdicts[0])
    assert (verdict == "same") is same is (1 - 0.04 ** (1 / items) < 0.02)
    assert said(0.0, still, 0.02) == "same"  # of a number that no item can move so far


def test_few_items_that_moved_seldom_show_a_sameness_that_is_none():
    """Of 150 items a share of X = .04 changes, all in one direction: six on average, which chance makes two of. Planted fault:
    with two, and the variance that two leave, .062 of such falls were called the same."""
    moved = np.random.default_rng(0).poisson(6, 20_000)
    few = Margin(np.zeros((20_000, 1)), 0, (moved / 150**2)[:, None], 149)
    same, unknown = (change_verdicts(-(moved / 150)[:, None], few, 0.04, reach).verdicts == "same" for reach in (1.0, 0.0))
    assert same.mean() < 0.03 and unknown.mean() > 0.055


def test_an_f1_near_nothing_is_seldom_called_the_same():
    """Rows of five seeds find .5 % and, later, 4.5 % of 96 entities. Planted faults: the variance alone, which the few hits
    leave, called .07 of them the same within 4 points, and counted by 800 sentences .11."""
    generator, found, tables = np.random.default_rng(0), counted("entity_f1"), 1_000
    shape = (tables, 1, 5, 96)
    hard = np.sqrt(0.5) * generator.standard_normal((tables, 1, 1, 96))
    hits = [
        norm.ppf(chance) > hard + np.sqrt(0.2) * generator.standard_normal((tables, 1, 1, 96)) + np.sqrt(0.3) * own
        for chance, own in zip((0.0027, 0.0249), generator.standard_normal((2, *shape)), strict=True)
    ]
    hits = np.concatenate(hits, axis=1)
    counts = np.stack([hits, hits + generator.poisson(0.08, hits.shape), np.ones_like(hits)], axis=-1).astype(float)
    rows = of_counts(counts, found.number, clusters_of(None, 96), found.weights(counts))
    assert rows.values.mean((0, 2)) == pytest.approx([0.005, 0.045], abs=0.002)
    spread = Spread(rows.values.var(-1, ddof=1).mean(-1), 8)
    margin, rises = of_pair(rows.row(1), rows.row(0), spread), rows.row(1).values.mean(-1) - rows.row(0).values.mean(-1)
    apart = Margin(*(np.broadcast_to(getattr(margin, part.name), tables)[:, None] for part in fields(Margin)))
    same, alone = (change_verdicts(rises[:, None], apart, 0.04, reach).verdicts == "same" for reach in (1.0, 0.0))
    assert same.mean() <= 0.03 and alone.mean() > 0.06


@pytest.mark.parametrize("items", [16, 100, 872])
def test_the_edge_of_items_that_did_not_move_is_clopper_and_pearsons(items):
    """The upper end of 0 of n, at .96 to one side, as scipy has it."""
    edge = float(beta.ppf(0.96, 1, items))
    still = margin(clusters=items - 1.0)
    found = [change_verdicts(np.array([0.0]), still, edge * by, np.array([1.0])).verdicts[0] for by in (1.0001, 0.9999)]
    assert found == ["same", "can't tell"]
