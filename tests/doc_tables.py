"""Tables of the pages for people, which tests hold to the code."""

import re
from itertools import takewhile
from pathlib import Path

ROOT = Path(__file__).parents[1]


def first_cells(page: str, header: str) -> list[str]:
    """The names in the first column of the table whose header begins so."""
    lines = (ROOT / page).read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if line.startswith(header)) + 2
    rows = takewhile(lambda line: line.startswith("|"), lines[start:])
    return [name for row in rows for name in re.findall(r"`([\w-]+)`", row.split("|")[1])]
