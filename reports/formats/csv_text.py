"""Tables as CSV for programs."""

import csv
from collections.abc import Callable, Mapping, Sequence
from io import StringIO
from typing import Any

from reports.definitions import defined

FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""How a formula begins, or what a spreadsheet leaves out before it."""


def csv_text(lines: Sequence[Mapping[str, Any]], term: Callable[[str], str]) -> str:
    """A heading and a line for each of `lines`. Columns are all names, in the order in which they first come; what a line does
    not have is empty. A text that a spreadsheet would take for a formula begins with an apostrophe, as in the page's file.

    Args:
        term: by a column's name, the term that defines it.

    Raises:
        LookupError: the term of a column is not in reports/definitions.yaml.
    """
    columns = list(dict.fromkeys(name for line in lines for name in line))
    for column in columns:
        defined(term(column))
    text = StringIO()
    writer = csv.DictWriter(text, columns, lineterminator="\n")
    writer.writeheader()
    writer.writerows({name: _inert(value) for name, value in line.items()} for line in lines)
    return text.getvalue()


def _inert(value: Any) -> Any:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
