"""Files that hold columns: Parquet and Arrow, read some rows at a time and within the bound of what may come of a file."""

import io
from collections.abc import Iterable, Iterator
from typing import Any, cast

import pyarrow
import pyarrow.ipc
import pyarrow.parquet

from bench.data.packing import bound, swollen
from bench.errors import FormatError

ROWS_AT_ONCE = 512
"""That are decoded at once. A column can name one long text for each of its rows, so that few rows may be gigabytes."""

NumberedRow = tuple[str, dict[str, Any]]
"""Its place, such as `row 3`, and its values by column."""


def parquet_rows(content: bytes) -> Iterator[NumberedRow]:
    """All rows of a Parquet file.

    Raises:
        FormatError: they are more than what may come of a file of its size.
        pyarrow.ArrowException: it is none, or is damaged.
    """
    file = pyarrow.parquet.ParquetFile(io.BytesIO(content))
    groups = map(file.metadata.row_group, range(file.metadata.num_row_groups))
    if sum(group.total_byte_size for group in groups) > bound(content):
        raise FormatError("as a whole", swollen(content))
    yield from _numbered_rows(file.iter_batches(ROWS_AT_ONCE), content)


def arrow_rows(content: bytes) -> Iterator[NumberedRow]:
    """All rows of Arrow IPC: of a file (it starts with ARROW1), or of a stream, as `datasets` writes it. Errors as above."""
    if content.startswith(b"ARROW1"):
        file = pyarrow.ipc.open_file(io.BytesIO(content))
        yield from _numbered_rows(map(file.get_batch, range(file.num_record_batches)), content)
    else:
        yield from _numbered_rows(pyarrow.ipc.open_stream(io.BytesIO(content)), content)


def _dictionary_bytes(column: pyarrow.Array, known: set[int]) -> int:
    """Of a categorical column's words, where they have been counted before; 0 at the first time, and of other columns."""
    if not pyarrow.types.is_dictionary(column.type):
        return 0
    addresses = {buffer.address for buffer in column.dictionary.buffers() if buffer is not None}
    counted, size = addresses <= known, int(column.dictionary.nbytes)
    known |= addresses
    return size if counted else 0


def _numbered_rows(batches: Iterable[pyarrow.RecordBatch], content: bytes) -> Iterator[NumberedRow]:
    number = size = 0
    known = set[int]()  # buffers that are counted: the words of a categorical column belong to each batch of it
    for batch in batches:
        batch.validate(full=True)  # a damaged file may point outside of itself
        size += batch.nbytes - sum(_dictionary_bytes(column, known) for column in batch.columns)
        if size > bound(content):
            raise FormatError(f"row {number + 1}", swollen(content))
        for start in range(0, batch.num_rows, ROWS_AT_ONCE):  # a batch of millions of rows would be gigabytes of dictionaries
            for row in batch.slice(start, ROWS_AT_ONCE).to_pylist():
                number += 1
                yield f"row {number}", cast(dict[str, Any], row)
