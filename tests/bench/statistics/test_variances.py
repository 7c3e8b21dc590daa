"""Nothing is nothing, and what is little stays."""

import numpy as np
import pytest

from bench.statistics.variances import beyond_rounding, over_seeds


def test_equal_numbers_vary_by_nothing_at_all():
    """numpy's variance of three times .95 is 1e-32."""
    assert np.var([0.95] * 3, ddof=1) > 0
    values = np.array([[0.95] * 3, [0.95, 0.95, 0.94]])
    assert over_seeds(values).tolist() == [0.0, pytest.approx(np.var(values[1], ddof=1))]


def test_what_rounding_leaves_is_nothing_and_one_answer_of_a_million_is_not():
    one, other = 0.1 + 0.2, 0.3
    assert one - other > 0
    assert beyond_rounding([one - other, -1e-3, 4e-6], [0.3, 0.3, 0.3]).tolist() == [0.0, 0.0, 4e-6]
