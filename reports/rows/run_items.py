"""What one run answered, item by item: a task's or a probe's rows are found without a copy of them.

They stay what they are in the file, tables of Arrow. A report asks each of thousands of runs for small parts, which takes
pandas longer than reading the file.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import compute

from bench.records import store
from bench.records.record import Record
from bench.statistics.arrays import Floats

OF_WHAT = ("kind", "name")
"""Columns that say of what a row is: of a task or of a probe, and of which."""


class RunItems:
    """A run's rows, as `write_record` has them; none where its source gave none."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    @classmethod
    def of_run(cls, out: Path, run: Record) -> "RunItems":
        """Raises UserError where they are damaged."""
        return cls(store.read_item_table(out, run))

    @classmethod
    def of_frame(cls, frame: pd.DataFrame) -> "RunItems":
        return cls(pa.Table.from_pandas(frame, preserve_index=False))

    def has(self, *columns: str) -> bool:
        return set(columns) <= set(self.table.column_names)

    def part(self, kind: str, name: str) -> pa.Table:
        """The rows of one task or probe, in their order; of no row where there are none."""
        pieces = [self.table.slice(first, end - first) for first, end in self._places.get((kind, name), ())]
        return pieces[0] if len(pieces) == 1 else pa.concat_tables(pieces) if pieces else self.table.slice(0, 0)

    @cached_property
    def _places(self) -> Mapping[tuple[str, str], Sequence[tuple[int, int]]]:
        """Task or probe -> first row, and the one after the last, of each stretch of its rows: one, as a run writes them."""
        if not self.has(*OF_WHAT):
            return {}
        kinds, names = (compute.fill_null(self.table[each], "").combine_chunks().dictionary_encode() for each in OF_WHAT)
        codes = kinds.indices.to_numpy() * max(1, len(names.dictionary)) + names.indices.to_numpy()
        firsts = np.flatnonzero(np.diff(codes, prepend=-1))
        places: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
        for first, end in zip(firsts.tolist(), np.append(firsts, len(codes))[1:].tolist(), strict=True):
            places[kinds[first].as_py(), names[first].as_py()].append((first, end))
        return places


def with_columns(table: pa.Table, **columns: Any) -> pa.Table:
    """The table with these columns, in place of those of the same names."""
    return pa.table({**dict(zip(table.column_names, table.columns, strict=True)), **columns})


def same_values(one: pa.ChunkedArray, other: pa.ChunkedArray) -> bool:
    """Whether two columns hold the same, whatever type a file has for it."""
    return bool(one.equals(other) if one.type == other.type else one.to_pylist() == other.to_pylist())


def has_missing(column: pa.ChunkedArray) -> bool:
    """Whether a value is missing: null, or no number."""
    if column.null_count:
        return True
    return pa.types.is_floating(column.type) and bool(np.isnan(column.to_numpy()).any())


def as_numbers(columns: Iterable[pa.ChunkedArray]) -> Floats:
    """(columns, rows) in double precision, nan where a value is missing."""
    return np.stack([compute.cast(column, pa.float64()).to_numpy() for column in columns])
