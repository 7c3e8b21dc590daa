"""Nothing is nothing, and what is little stays."""

import numpy as np
import pytest
from scipy import stats

from bench.statistics.variances import beyond_rounding, louder, over_seeds


def test_equal_numbers_vary_by_nothing_at_all():
    """numpy's variance of three times .95 is 1e-32."""
    assert np.var([0.95] * 3, ddof=1) > 0
    values = np.array([[0.95] * 3, [0.95, 0.95, 0.94]])
    assert over_seeds(values).tolist() == [0.0, pytest.approx(np.var(values[1], ddof=1))]


def test_what_rounding_leaves_is_nothing_and_one_answer_of_a_million_is_not():
    one, other = 0.1 + 0.2, 0.3
    assert one - other > 0
    assert beyond_rounding([one - other, -1e-3, 4e-6], [0.3, 0.3, 0.3]).tolist() == [0.0, 0.0, 4e-6]


def test_a_row_is_louder_where_an_f_test_says_so():
    """Against scipy's F test of two samples; the level is shared out among the rows."""
    values = np.random.default_rng(0).normal(size=(4, 3)) * np.array([[9.0], [1], [1], [1]])
    variances = np.var(values, axis=1, ddof=1)
    p = 4 * stats.f.sf(variances[0] / variances[1:].mean(), 2, 6)
    assert louder(variances.tolist(), [2] * 4, p + 1e-12) == {0: pytest.approx(np.sqrt(variances[0] / variances[1:].mean()))}
    assert louder(variances.tolist(), [2] * 4, p - 1e-12) == {}
    assert louder([4.0, 0.0], [2, 2], 0.05) == louder([4.0], [2], 0.05) == louder([], [], 0.05) == {}


def test_how_often_a_loud_row_is_named():
    """As docs/method/scores.md tells: of seven rows of three seeds."""
    generator, told = np.random.default_rng(1), {3.0: 0.45, 5.0: 0.74, 10.0: 0.93}

    def named(times: float) -> list[dict[int, float]]:
        scale = np.array([[times], *[[1.0]] * 6])
        tables = (generator.normal(size=(7, 3)) * scale for _ in range(600))
        return [louder(np.var(values, axis=1, ddof=1).tolist(), [2] * 7, 0.05) for values in tables]

    assert np.mean([bool(found) for found in named(1.0)]) < 0.08
    for times, share in told.items():
        assert np.mean([0 in found for found in named(times)]) == pytest.approx(share, abs=0.06)
