"""Grouping, held to pandas."""

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from bench.groups import groups_by


@given(st.lists(st.tuples(st.sampled_from("abc"), st.integers())))
def test_order_is_kept_and_nothing_lost(pairs):
    found = groups_by(pairs, lambda pair: pair[0])
    frame = pd.DataFrame(pairs, columns=["key", "value"])
    expected = {key: list(map(tuple, part.values.tolist())) for key, part in frame.groupby("key", sort=False)}
    assert found == expected and list(found) == list(expected)
