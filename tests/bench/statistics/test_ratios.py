"""Ratios of costs, and how often their intervals hold the truth."""

import numpy as np
import pytest
from scipy.stats import t

from bench.statistics.ratios import cost_ratio, log_ratio_by_seed


def held(rows: int, seeds: int, sds: list[float], tables: int = 2000) -> float:
    """Log-normal costs, of which the last row's truth is twice the first's."""
    generator, found = np.random.default_rng(0), 0
    scales = np.array([1.0] * (rows - 1) + [2.0])[:, None]
    sd = np.array(sds)[:, None]
    for _ in range(tables):
        costs = scales * np.exp(sd * generator.standard_normal((rows, seeds)) - sd**2 / 2)
        low, high = cost_ratio(costs[-1].tolist(), costs[0].tolist(), costs.tolist())[1]
        found += low <= 2 <= high
    return found / tables


@pytest.mark.parametrize(("rows", "seeds"), [(2, 2), (5, 2), (2, 3), (5, 3), (5, 5)])
def test_intervals_hold_where_relative_sds_are_alike(rows, seeds):
    assert 0.945 <= held(rows, seeds, [0.1] * rows) <= 0.98


def test_one_row_that_varies_four_times_as_much_is_held_less():
    """As the page on costs says: .86 with two seeds and .89 with three."""
    assert held(5, 2, [0.03] * 4 + [0.12]) == pytest.approx(0.86, abs=0.03)
    assert held(5, 3, [0.03] * 4 + [0.12]) == pytest.approx(0.89, abs=0.03)


@pytest.mark.parametrize(("rows", "seeds", "share"), [(2, 3, 0.04), (5, 2, 0.15), (5, 5, 0.19), (8, 3, 0.32)])
def test_the_row_that_took_the_least_is_some_row_by_chance(rows, seeds, share):
    """Equal rows: how often another seems surely dearer than the cheapest of them, as the page on costs says."""
    generator, found, tables = np.random.default_rng(0), 0, 500
    for _ in range(tables):
        costs = np.exp(0.05 * generator.standard_normal((rows, seeds)))
        least, table = costs.mean(1).argmin(), costs.tolist()
        others = [row for place, row in enumerate(table) if place != least]
        found += any(cost_ratio(row, table[least], table)[1][0] > 1 for row in others)
    assert found / tables == pytest.approx(share, abs=0.05)


def test_by_hand():
    """Relative variances .02 and .005 (2 and 1 of 10, squared, halved), pooled .0125 with 2 degrees of freedom."""
    one, other = [18.0, 22.0], [9.5, 10.5]
    value, (low, high) = cost_ratio(one, other, [one, other])
    half = t.ppf(0.975, 2) * np.sqrt(0.02 / 2 + 0.0125 / 2)
    assert (value, low, high) == pytest.approx((2.0, 2 * np.exp(-half), 2 * np.exp(half)))


def test_one_seed_has_no_interval_and_what_never_varies_has_an_empty_one():
    assert cost_ratio([20.0], [10.0], [[20.0], [10.0]]) == (2.0, None)
    assert cost_ratio([4.0, 4.0], [2.0, 2.0], [[4.0, 4.0], [2.0, 2.0]]) == (2.0, (2.0, 2.0))


def test_seed_by_seed_by_hand():
    """Logarithms .1 and .3 (variance .02) and, in the table's other row, 0 and .1 (.005): .0125 with 2 degrees of freedom."""
    value, margin = log_ratio_by_seed([0.1, 0.3], [[0.1, 0.3], [0.0, 0.1]])
    assert value == pytest.approx(0.2) and margin.seeds == pytest.approx(0.02 / 2) and margin.seed_freedom == 2
    assert log_ratio_by_seed([0.0, 0.1], [[0.1, 0.3], [0.0, 0.1]])[1].seeds == pytest.approx(0.0125 / 2)
    assert log_ratio_by_seed([0.1], [[0.1]]) == (0.1, None)
