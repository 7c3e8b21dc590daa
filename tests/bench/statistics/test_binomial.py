"""Intervals of a share alone, held to scipy's."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest

from bench.statistics.binomial import wilson


@given(st.integers(1, 3_000), st.data())
def test_wilson_is_scipys(items, data):
    right = data.draw(st.integers(0, items))
    expected = binomtest(right, items).proportion_ci(method="wilson")
    assert wilson(right / items, items) == pytest.approx((expected.low, expected.high), abs=1e-12)


@pytest.mark.parametrize(("share", "items"), [(1.1, 5), (-0.1, 5), (0.5, 0), (float("nan"), 5)])
def test_what_is_no_share_is_refused(share, items):
    with pytest.raises(ValueError, match="is no share"):
        wilson(share, items)
