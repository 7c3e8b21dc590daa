"""A judge's verdicts as tables in the terminal, and as a page of Markdown."""

from collections.abc import Iterator

from rich.table import Table

from reports.formats.console import add_cells, add_column, console, plain_table, say
from reports.formats.markdown import escaped, markdown_table
from reports.judged.win_rates import WinRate, WinRates
from reports.rows import numbers

STAR = "*"
WIN_RATE_COLUMNS = {
    "judged_rows": ("rows",),
    "win_rate": ("win rate", "[95 %]"),
    "judged_counts": ("won", "tied", "lost"),
    "win_rate_p": ("p",),
    "judge_agreement": ("orders", "agree"),
    "judge_first": ("first", "place"),
}
"""Term -> the lines of its header."""
READING = (
    "win rate: wins and half the ties of the row that is named first; an item is won only where both orders say so.",
    f"{STAR}: more than chance away from .5 (p, Holm over all pairs of the table).",
    "orders agree: the same said in both orders. first place: how often it wins; far from .5 is a bias.",
)


def print_judged(heading: str, rates: WinRates) -> None:
    """A table of one suite's, model's and task's pairs."""
    to = console()
    say(to, heading)
    to.print(_win_rates_table(rates))
    for sentence in _reading_sentences(rates):
        say(to, sentence)


def judged_page(tables: dict[str, WinRates]) -> str:
    """Heading -> its pairs, as Markdown."""
    parts = ["# What a judge says of the rows' answers"]
    columns = [
        (" ".join(words) if term != "judged_counts" else " / ".join(words), term) for term, words in WIN_RATE_COLUMNS.items()
    ]
    left = [columns[0][0]]
    for heading, rates in tables.items():
        # Labels and headings hold names that a person chose, in which Markdown may see marks of its own.
        lines = [[escaped(label), *map(escaped, cells)] for label, *cells in map(_win_rate_cells, rates.pairs)]
        reading = escaped(" ".join(_reading_sentences(rates)))
        parts += [f"## {escaped(heading)}", markdown_table(columns, lines, left), reading]
    return "\n\n".join(parts) + "\n"


def _win_rates_table(rates: WinRates) -> Table:
    table = plain_table()
    for term, words in WIN_RATE_COLUMNS.items():
        add_column(table, term, *words, justify="left" if term == "judged_rows" else "right")
    for rate in rates.pairs:
        add_cells(table, _win_rate_cells(rate))
    return table


def _win_rate_cells(rate: WinRate) -> tuple[str, ...]:
    won, tied, lost = (rate.counts[winner] for winner in ("one", "tie", "other"))
    interval = numbers.bracketed((rate.low, rate.high), numbers.share)
    return (
        f"{rate.labels[0]} against {rate.labels[1]}",
        f"{numbers.share(rate.value)}{STAR if rate.significant else ''} {interval}",
        f"{won:,} / {tied:,} / {lost:,}",
        numbers.share(rate.p) if rate.p >= 0.001 else "<.001",
        *(numbers.MISSING if share is None else numbers.share(share) for share in (rate.agreement, rate.first)),
    )


def _reading_sentences(rates: WinRates) -> Iterator[str]:
    yield from READING
    one = "One seed: the interval is for these trained models on new items. Another seed may differ by more."
    yield one if rates.seeds == 1 else "Several seeds: the interval is for other seeds on new items."
    if rates.smallest is not None:
        yield _findable_rate_sentence(rates.smallest)
    yield from (f"{sentence}." for sentence in rates.unequal)
    for rate in rates.pairs:
        yield from _remarks(rate)


def _findable_rate_sentence(smallest: float) -> str:
    # A rate lies between 0 and 1, and none of them is farther than .5 from even.
    if smallest >= 0.5:
        return "So few items and seeds would find no win rate four times out of five; take more of them."
    rates = (numbers.share(0.5 + sign * smallest) for sign in (1, -1))
    return f"A true win rate of {' or '.join(rates)}, or farther from .5, would be found four times out of five."


def _remarks(rate: WinRate) -> Iterator[str]:
    name = f"{rate.labels[0]} against {rate.labels[1]}"
    if rate.same:
        yield f"{name}: {_count_with_noun(rate.same, 'pair')} of answers the same, a tie that was not asked."
    if rate.unread:
        yield f"{name}: {_count_with_noun(rate.unread, 'reply', 'replies')} could not be read and made a tie."


def _count_with_noun(count: int, one: str, many: str = "") -> str:
    return f"{count:,} {one if count == 1 else many or one + 's'}"
