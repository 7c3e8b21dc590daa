"""Parquet and Arrow are read some rows at a time, up to a bound."""

import io

import pyarrow
import pyarrow.parquet
import pytest

from bench.data import columnar_files, packing
from bench.data.columnar_files import arrow_rows, parquet_rows
from bench.errors import FormatError


def parquet(table, **how):
    pyarrow.parquet.write_table(table, to := io.BytesIO(), **how)
    return to.getvalue()


def arrow(table, opened, compression="zstd"):
    options = pyarrow.ipc.IpcWriteOptions(compression=compression)
    with opened(to := io.BytesIO(), table.schema, options=options) as file:
        file.write_table(table)
    return to.getvalue()


def test_all_rows_come_with_their_numbers():
    table = pyarrow.table(
        {"a": range(3 * columnar_files.ROWS_AT_ONCE + 1), "b": [[str(n)] for n in range(3 * columnar_files.ROWS_AT_ONCE + 1)]}
    )
    read = [list(parquet_rows(parquet(table, row_group_size=700)))]
    read += [list(arrow_rows(arrow(table, opened))) for opened in (pyarrow.ipc.new_file, pyarrow.ipc.new_stream)]
    assert all([row for _, row in rows] == table.to_pylist() for rows in read)
    assert all([place for place, _ in rows] == [f"row {n + 1}" for n in range(table.num_rows)] for rows in read)


LONG = pyarrow.table({"a": pyarrow.array(["x" * 10**4] * 5000)})
"""50 MB, which a dictionary or a compression holds in a few thousand bytes."""
FILES = {
    "a dictionary's one text": (parquet_rows, lambda: parquet(LONG, use_dictionary=True)),
    "a compressed page": (parquet_rows, lambda: parquet(LONG, use_dictionary=False, compression="zstd")),
    "a compressed file": (arrow_rows, lambda: arrow(LONG, pyarrow.ipc.new_file)),
    "a compressed stream": (arrow_rows, lambda: arrow(LONG, pyarrow.ipc.new_stream)),
}


@pytest.mark.parametrize("what", FILES)
def test_a_few_bytes_that_stand_for_many_are_told(monkeypatch, what):
    read, made = FILES[what]
    content = made()
    monkeypatch.setattr(packing, "FREE", 10**7)
    assert len(content) < 10**5
    before = pyarrow.total_allocated_bytes()
    with pytest.raises(FormatError, match=r"its [\d,]+ bytes stand for more than 10 MB"):
        for _ in read(content):
            assert pyarrow.total_allocated_bytes() - before < 10**8


def test_the_words_of_a_categorical_column_are_counted_once():
    """They belong to each of the hundreds of batches that its rows come in."""
    words = [f"{number:032x}" for number in range(20_000)]
    codes = [(7 * number) % len(words) for number in range(60_000)]
    users = pyarrow.DictionaryArray.from_arrays(pyarrow.array(codes, pyarrow.int32()), pyarrow.array(words))
    rows = list(parquet_rows(parquet(pyarrow.table({"user": users}))))
    assert len(rows) == len(codes) and [row["user"] for _, row in rows[:3]] == [words[code] for code in codes[:3]]
