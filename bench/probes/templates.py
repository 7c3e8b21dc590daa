"""Fields of a probe's rows made of its columns, as the YAML words them: `"Question: {question}\\nAnswer:"`.

A column can be changed on its way into the text: `{premise:unstopped}` leaves out a final full stop, `{choice:uncapitalised}`
starts with a small letter.
"""

from collections.abc import Callable, Mapping, Sequence
from string import Formatter
from typing import Any

from bench.errors import unknown

CHANGES: dict[str, Callable[[str], str]] = {
    "unstopped": lambda text: text.strip().removesuffix("."),
    "uncapitalised": lambda text: text[:1].lower() + text[1:],
}


class Words(Formatter):
    """str.format whose format specifications are the names of `CHANGES`."""

    def get_value(self, key: int | str, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
        value = super().get_value(key, args, kwargs)
        # Its brackets and quotation marks would be asked too.
        if isinstance(value, list):
            raise ValueError(f"a template names {{{key}}}, which is a list; name an entry of it under columns")
        return value

    def format_field(self, value: Any, format_spec: str) -> str:
        if format_spec and format_spec not in CHANGES:
            raise unknown("change of a column", format_spec, CHANGES)
        return CHANGES[format_spec](str(value)) if format_spec else str(value)


def filled(row: Mapping[str, Any], fields: Mapping[str, str | list[str]]) -> dict[str, Any]:
    """The row with its `fields` filled from its columns.

    Raises:
        UserError: a template names a change that does not exist.
        ValueError: it names a column that holds a list in this row.
    """
    words = Words()

    def fill(template: str) -> str:
        return words.vformat(template, (), row)

    made = {name: fill(t) if isinstance(t, str) else [fill(text) for text in t] for name, t in fields.items()}
    return {**row, **made}
