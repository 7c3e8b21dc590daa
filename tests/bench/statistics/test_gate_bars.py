"""The gate's bars hold on comparisons that are as they are assumed, and fail where its statistics are broken on purpose."""

from dataclasses import replace

import numpy as np
import pytest

from bench.statistics import change, gate_bars, intervals
from bench.statistics.detectable import smallest_difference
from bench.statistics.gate_bars import smallest_falls
from bench.statistics.jackknife import clusters_of
from bench.statistics.simulated import likeness, likeness_of_counts

COMPARISONS = 500
X = 0.02


def found(of, comparisons: int = COMPARISONS):
    return list(gate_bars.gate_bars(of, X, comparisons, 0))


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "seeds", "items"), [(3, 3, 400), (2, 2, 320)])
def test_all_bars_hold_and_are_the_same_again(answered, rows, seeds, items):
    of = likeness(*answered(rows, seeds, items, 0.2))
    bars = found(of)
    assert len(bars) == 4 and {bar.name: bar.share for bar in bars if not bar.holds} == {}
    alarm, caught, small, large = bars
    assert alarm.high == 0.05 and (caught.low, caught.high) == (0.74, 0.86) and "changed by 2.0 points" in small.name
    # The harder of the two margins is one at which something is called the same.
    assert large.share > 0.01
    assert found(of, 100) == found(of, 100)


def test_falls_that_are_found_grow_with_what_nobody_minds(answered):

    of = likeness(*answered(2, 3, 400))
    plain, minded = (smallest_falls(of, within, np.random.default_rng(0)) for within in (0.0, 0.3))
    assert all(0.02 < one < 0.15 < 0.2 < other < 0.3 for one, other in zip(plain, minded, strict=True))


def test_seeds_that_are_left_out_raise_alarms(monkeypatch, answered):
    real = intervals.of_pair
    monkeypatch.setattr(gate_bars, "of_pair", lambda *args: replace(real(*args), seeds=0.0))
    alarm = found(likeness(*answered(3, 3, 400, sigma=0.2)), 100)[0]
    assert alarm.share > 0.3 and not alarm.holds


def test_changes_that_are_not_corrected_for_their_number_raise_alarms(monkeypatch, answered):
    monkeypatch.setattr(change, "holm", lambda p: p)
    alarm = found(likeness(*answered(6, 5, 320, sigma=0.2)), 120)[0]
    assert alarm.share > 0.08 and not alarm.holds


def test_a_size_that_is_too_small_is_caught_too_seldom(monkeypatch, answered):
    def halved(*args, **named):
        return replace(real(*args, **named), value=smallest_difference(args[0], 0.05, None) / 2)

    real = gate_bars.detectable
    monkeypatch.setattr(gate_bars, "detectable", halved)
    assert not found(likeness(*answered(2, 3, 320)), 200)[1].holds


def test_items_that_all_stood_still_are_judged_as_compare_does(answered):
    """Of 40 items that nearly all are right often none changes. `compare` knows that one of them moves a share by 1/40."""
    right = (np.random.default_rng(0).random((2, 2, 40)) < 0.99).astype(float)
    of = likeness(right, right[0, 0], clusters_of(None, 40))
    known, unknown = (found(replace(of, share_of_items=each), 400)[-1] for each in (True, False))
    assert known.holds and not unknown.holds and known.name == unknown.name


def test_no_row_rises_beyond_the_best_answers(entities):
    """Of a score that is half of F1, and never more than .5, a row at .48 has room for .1 downwards alone."""
    of = likeness_of_counts(*entities(2, 2, 320))
    halved = replace(of, scoring=replace(of.scoring, number=lambda totals: of.scoring.number(totals) / 2))
    assert halved.highest == pytest.approx(0.5)
    high = halved.of([0, 1], [0.48, 0.48])
    said = next(gate_bars.false_sameness(high, 0.1, 100, np.random.default_rng(0)))
    assert said.name.startswith("compare: changed by 10.0 points")


def test_bars_of_sums_hold(entities):
    of = likeness_of_counts(*entities(3, 3, 320))
    assert {bar.name: bar.share for bar in found(of, 400) if not bar.holds} == {}


def test_absence_of_a_finding_taken_for_sameness_is_found_out(monkeypatch, answered):
    monkeypatch.setattr(change, "EQUIVALENCE", 1.0)
    *_, large = found(likeness(*answered(2, 3, 320, sigma=0.2)), 200)
    assert large.share > 0.3 and not large.holds
