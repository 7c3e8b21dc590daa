"""Tables and text of Markdown, in which nothing from outside is markup."""

import re
from collections.abc import Iterable, Sequence

from reports.definitions import defined
from reports.unseen_characters import printable

Headers = Sequence[tuple[str, str]]
"""Of a table: each header, and the term that defines it."""


def escaped(text: str) -> str:
    """A name or a reason of which nothing is markup, on one line; an underscore inside a word means nothing there."""
    return re.sub(r"[\\`*<>\[\]|&$~]|(?<!\w)_|_(?!\w)", r"\\\g<0>", printable(text))


def markdown_table(columns: Headers, lines: Iterable[Sequence[str]], left: Sequence[str]) -> str:
    """A table of headers and cells that are Markdown; all columns but those of `left` are held to the right.

    Raises:
        LookupError: the term of a header is not in reports/definitions.yaml.
    """
    for _, term in columns:
        defined(term)
    headers = [header for header, _ in columns]
    rule = ["---" if header in left else "---:" for header in headers]
    return "\n".join(f"| {' | '.join(line)} |" for line in (headers, rule, *lines))
