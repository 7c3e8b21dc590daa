"""What changed, as text: the same in a terminal, in Markdown, and in JUnit's messages."""

from collections.abc import Callable, Iterator
from math import exp

from bench.groups import groups_by
from reports.gate.change import Change, MatchDifference
from reports.gate.compared import Compared
from reports.rows import numbers

COST_TEXTS: dict[str, Callable[[float], str]] = {
    "tokens": numbers.scaled,
    "flops": numbers.scaled,
    "saved": lambda value: numbers.scaled(value, "B"),
    "memory": lambda value: f"{numbers.gigabytes(value)} GB",
    "training": lambda value: f"{numbers.seconds(value)} s",
}
CHANGE_COLUMNS = {
    "strategy": "strategy",
    "what": "change",
    "old": "change",
    "new": "change",
    "change [95 %]": "change",
    "unit": "change",
    "verdict": "change_verdict",
    "finds": "change_detectable",
}
"""Of a table of changes: header -> the term that defines it."""
LEFT_COLUMNS = ("strategy", "what", "unit", "verdict")
ALWAYS_COUNTED = 4
"""So many counts of a headline stand there where they are 0 too."""


def cells(change: Change) -> tuple[str, ...]:
    """A line of the table."""
    difference = change.difference
    before, now = side_text(difference, difference.old), side_text(difference, difference.new)
    return (
        difference.row.label,
        difference.title,
        before,
        now,
        change_text(difference),
        change_unit(difference),
        verdict_text(change),
        finds(change),
    )


def side_text(difference: MatchDifference, value: float) -> str:
    """A number of one side."""
    if difference.question == "cost":
        return COST_TEXTS[difference.term](value)
    write = numbers.difference if difference.question == "forgetting" else numbers.level
    return write(value, difference.quantity)


def change_text(difference: MatchDifference) -> str:
    """`-1.7 [-4.1, +0.7]`, or `1.02 [1.00, 1.04]` times of a cost."""
    mark = "" if difference.paired else "†"
    bounds = numbers.bracketed(difference.bounds, lambda end: _signed_change(difference, end))
    return f"{_signed_change(difference, difference.value)} {bounds}{mark}"


def _signed_change(difference: MatchDifference, value: float) -> str:
    return numbers.multiple(exp(value)) if difference.question == "cost" else numbers.difference(value, difference.quantity)


def change_unit(difference: MatchDifference) -> str:
    """`points`, `times`, or that of the number without what it is per."""
    # The column is narrow, and the number's name says per what it is.
    return difference.quantity.unit.partition(" per ")[0]


def verdict_text(change: Change) -> str:
    """`worse`, `same within 2`, `better` or `can't tell`."""
    return f"same within {nobody_minds(change.difference)}" if change.verdict == "same" else change.verdict


def nobody_minds(difference: MatchDifference) -> str:
    """The margin inside which a change counts as none, in the change's unit; of a cost `5 %`."""
    if difference.question == "cost":
        return f"{100 * (exp(difference.within) - 1):.3g} %"
    return f"{numbers.in_unit(difference.within, difference.quantity):.3g}"


def finds(change: Change) -> str:
    """The smallest change for the worse that is found four times out of five, in the change's unit."""
    difference, value = change.difference, change.detectable.value
    return numbers.multiple(exp(value)) if difference.question == "cost" else numbers.found_from(value, difference.quantity)


def headline(comparison: Compared) -> str:
    """What all of it comes to: `1 worse, 4 the same, 0 better, 7 can't tell`."""
    verdicts = [change.verdict for change in comparison.changes]
    parts = [(verdicts.count("worse"), "worse"), (verdicts.count("same"), "the same"), (verdicts.count("better"), "better")]
    parts += [
        (verdicts.count("can't tell"), "can't tell"),
        (len(comparison.broken), "fail"),
        (len(comparison.refused), "not comparable"),
    ]
    counts = [f"{count} {what}" for place, (count, what) in enumerate(parts) if count or place < ALWAYS_COUNTED]
    return f"{comparison.new.name} against {comparison.old.name}: {', '.join(counts)}"


def by_table(comparison: Compared) -> dict[tuple[str, str, str], list[Change]]:
    """Changes by suite, model and task; of each row its scores, what it forgot, and the costs that are not the same."""
    shown = [change for change in comparison.changes if not _same_cost(change)]
    return groups_by(sorted(shown, key=lambda change: change.difference.row.label), lambda change: change.difference.row.group)


def _same_cost(change: Change) -> bool:
    return change.difference.question == "cost" and change.verdict == "same"


def _same_costs_sentence(comparison: Compared) -> Iterator[str]:
    """How many of the costs stayed as they were: they have no line of their own."""
    same = [change.difference for change in comparison.changes if _same_cost(change)]
    if same:
        titles = ", ".join(dict.fromkeys(difference.title for difference in same))
        yield f"{len(same)} of {_count_of_costs(comparison)} costs are the same within {nobody_minds(same[0])}: {titles}."


def _count_of_costs(comparison: Compared) -> int:
    return sum(change.difference.question == "cost" for change in comparison.changes)


def comparison_lines(comparison: Compared) -> Iterator[str]:
    """What is wrong, what could not be compared, and how to read the rest."""
    yield from (f"worse: {text}" for text in comparison.broken)
    yield from (f"not comparable: {text}" for text in comparison.refused)
    yield from (f"changed: {text}" for text in comparison.remarks)
    yield from (f"note: {text}" for text in comparison.notes)
    yield from _same_costs_sentence(comparison)
    # Nothing was judged, and there is no table to explain.
    if not comparison.changes:
        return
    costs = _count_of_costs(comparison)
    also = f", and for {costs} of costs" if costs else ""
    judged = len(comparison.changes) - costs
    changes = f"{judged} change{'s' if judged != 1 else ''}"
    yield f"worse, better: more than chance, corrected for {changes} of scores and forgetting (Holm){also}."
    yield f"same within X: two one-sided tests at .04 show it; X is {comparison.within} (--within)."
    yield "finds: the smallest change for the worse that so many seeds and items find four times out of five."
    if any(not change.difference.paired for change in comparison.changes):
        yield "†: the two sides share no answers per item; compared unpaired, by intervals."
