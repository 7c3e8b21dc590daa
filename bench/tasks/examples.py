"""One labelled item of a task, as every module after the data reads it."""

from dataclasses import dataclass

Gold = str | tuple[str, ...]
"""A label; BIO tags, one per word; accepted answers or references; or nothing ('') where the text itself is the target."""


@dataclass(frozen=True)
class Example:
    """`fields` fill the prompt's braces; `gold` is what the task's type made of the row's other columns."""

    id: str
    fields: dict[str, str]
    gold: Gold
    cluster: str | None = None
    """What it belongs to together with others (a film, a title, a story), or None: items of one cluster are not independent."""
