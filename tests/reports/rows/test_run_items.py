"""A run's rows by task and probe, held to what pandas finds."""

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.rows.run_items import RunItems, as_numbers, has_missing, same_values

ROWS = st.lists(st.tuples(st.sampled_from(["task", "probe", None]), st.sampled_from(["a", "b", ""])), max_size=12)


@given(ROWS, st.booleans())
def test_a_part_is_what_pandas_finds(rows, in_pieces):
    frame = pd.DataFrame({"kind": [kind for kind, _ in rows], "name": [name for _, name in rows], "item": range(len(rows))})
    table = pa.Table.from_pandas(frame, schema=pa.schema({"kind": pa.string(), "name": pa.string(), "item": pa.int64()}))
    items = RunItems(pa.concat_tables([table.slice(0, 5), table.slice(5)]) if in_pieces else table)
    for kind in ("task", "probe", "elsewhere"):
        for name in ("a", "b", "c"):
            found = frame[(frame["kind"] == kind) & (frame["name"] == name)]["item"].tolist()
            assert items.part(kind, name)["item"].to_pylist() == found


def test_of_a_run_without_items_there_is_no_part():
    items = RunItems(pa.table({}))
    assert len(items.part("task", "a")) == 0 and not items.has("item") and items.has()


def test_a_part_that_stands_together_is_no_copy():
    table = pa.table({"kind": ["task"] * 3 + ["probe"] * 2, "name": ["a"] * 3 + ["b"] * 2, "item": list("xyzxy")})
    part = RunItems(table).part("probe", "b")["item"].chunk(0)
    assert part.offset == 3 and part.buffers()[1].address == table["item"].chunk(0).buffers()[1].address


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (pa.array(["a", "b"]), pa.array(["a", "b"], pa.large_string()), True),
        (pa.array(["a", "b"]), pa.array(["b", "a"]), False),
        (pa.array(["a", "b"]), pa.array(["a"]), False),
        (pa.array([1, 2]), pa.array([1.0, 2.0]), True),
        (pa.array([1, 2]), pa.array(["1", "2"]), False),
    ],
)
def test_columns_are_the_same_by_their_values(one, other, same):
    """Planted fault: two seeds whose files were written by unlike versions had unlike items."""
    assert same_values(pa.chunked_array([one]), pa.chunked_array([other])) is same
    if same:
        assert same_values(pa.chunked_array([one.slice(0, 1), one.slice(1)]), pa.chunked_array([one]))


@pytest.mark.parametrize(
    ("column", "missing"),
    [
        (pa.array(["a", None]), True),
        (pa.array(["a", ""]), False),
        (pa.array([1.0, None]), True),
        (pa.array([1.0, np.nan], from_pandas=False), True),
        (pa.array([1.0, np.inf]), False),
        (pa.array([True, None]), True),
        (pa.array([], pa.float64()), False),
    ],
)
def test_a_value_may_be_missing_in_two_ways(column, missing):
    assert has_missing(pa.chunked_array([column])) is missing


def test_numbers_are_nan_where_none_is():
    numbers = ([True, False, None], [1, 2, 3], [0.5, None, 1.5])
    expected = [[1, 0, np.nan], [1, 2, 3], [0.5, np.nan, 1.5]]
    np.testing.assert_array_equal(as_numbers(pa.chunked_array([each]) for each in numbers), expected)
