"""Tables as CSV for programs."""

import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from typing import Any


def csv_text(lines: Sequence[Mapping[str, Any]]) -> str:
    """A heading and a line for each of `lines`. Columns are all names, in the order in which they first come; what a line does
    not have is empty."""
    text = StringIO()
    writer = csv.DictWriter(text, list(dict.fromkeys(name for line in lines for name in line)), lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()
