"""Gain against forgetting as tables, one per probe, printed or as Markdown, and the curves as a figure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from os.path import relpath
from pathlib import Path
from typing import NamedTuple

from rich.table import Table as Printed

from bench.errors import UserError
from bench.folders import write_text
from bench.records.record import Record
from reports.definitions import note
from reports.formats.console import add_cells, add_column, console, plain_table, say
from reports.formats.markdown import escaped, markdown_table
from reports.paper import plot
from reports.rows import frontier, numbers
from reports.rows.captions import forgetting_ranks, forgetting_sentences, ranks_of_models, statement
from reports.rows.environments import other_environments
from reports.rows.fairness import check_comparable, unfair
from reports.rows.means import Forgotten
from reports.rows.numbers import Quantity
from reports.rows.one_base import BEST_WORDS, on_one_base, one_base
from reports.rows.row import Row
from reports.rows.rows import aggregate, grouped, probe_names, ranked
from reports.rows.standing import forgetting_standings
from reports.rows.verdicts import verdict_word


class Header(NamedTuple):
    """A column's name, and the definition of what it shows."""

    text: str
    term: str


HEADERS = [
    Header("strategy", "strategy"),
    Header("gain [95 %]", "gain"),
    Header("forgetting [95 %]", "forgetting"),
    Header("verdict", "verdict"),
    Header("per gain", "per_gain"),
    Header("at equal gain", "at_equal_gain"),
    Header("rounding", "rounding"),
    Header("contaminated", "contaminated"),
]
GAIN_OVER_BEST = Header("over best [95 %]", "over_best")
"""In place of the gain, where rows were asked in unlike words and what they gained is over one base."""
RELATIVE = [Header("strategy", "strategy"), Header("FG, %", "relative_forgetting")]
CURVES_ENDING = ".svg"


@dataclass(frozen=True)
class Table:
    """Headers, and a line for each row, its name first; cells as text."""

    title: str
    headers: list[Header]
    lines: list[list[str]]


@dataclass(frozen=True)
class Group:
    """The tables of one model and task, with sentences on what they show and on how to read them."""

    title: str
    findings: list[str]
    """What is more than chance, a sentence for each probe: the answer before its numbers."""
    tables: list[Table]
    notes: list[str]


def write_tables(
    records: Sequence[Record], out: Path, markdown: Path | None, figure: Path | None, allow_unequal: bool = False
) -> None:
    """Print the tables, or write them; and write the curves.

    Raises:
        UserError: a figure is asked for, and its name ends otherwise or no run was watched on its way; a file cannot be
            written; or rows of one table answer different questions and are not allowed to.
    """
    if figure and figure.suffix.lower() != CURVES_ENDING:
        raise UserError(f"--figure {figure}: the curves are drawn as SVG; name a file that ends in {CURVES_ENDING}")
    rows = ranked(aggregate(records, out))
    if not allow_unequal:
        check_comparable(rows)
    # Drawn before anything is written: a report is whole or not there.
    drawn = plot.curves(rows) if figure else None
    if figure and drawn is None:
        raise UserError(f"no record in {out} has a curve for {figure}; run the suite with --probe-every 25%")
    if figure and drawn:
        write_text(figure, drawn)
    if markdown:
        # The page shows the picture from wherever both of them are moved to.
        shown = relpath(figure, markdown.parent) if figure else None
        write_text(markdown, as_markdown(rows, shown))
    else:
        print_tables(rows)


def groups(rows: Sequence[Row]) -> list[Group]:
    """The tables of all rows that train something and were probed; rows that train nothing forget nothing."""
    return [_group_of_tables(key, group) for key, group in grouped(rows).items()]


def _group_of_tables(key: tuple[str, str, str], rows: Sequence[Row]) -> Group:
    suite, model, task = key
    trained = [row for row in rows if row.trains and row.gain and row.forgetting]
    shown, headers = on_one_base(trained), HEADERS if one_base(trained) else [HEADERS[0], GAIN_OVER_BEST, *HEADERS[2:]]
    tables = [_probe_table(shown, probe, quantity, headers) for probe, quantity in probe_names(shown).items()]
    relative = [
        [row.label, numbers.signed(share, numbers.RELATIVE_FORGETTING)]
        for row in shown
        if (share := row.relative_forgetting_share) is not None
    ]
    if relative:
        tables.append(Table("All probes where higher is better: relative forgetting", RELATIVE, relative))
    findings = [_significance(shown, probe) for probe in probe_names(shown)]
    return Group(f"{suite}: {model} on {task}", findings, tables, list(_note_sentences(rows, shown)))


def _probe_table(rows: Sequence[Row], probe: str, quantity: Quantity, headers: Sequence[Header]) -> Table:
    """One probe's; columns that no row has anything for are left out."""
    probed = [(row, row.forgetting[probe]) for row in rows if probe in row.forgetting]
    reached = frontier.equal_gain(rows)
    counts = [forgotten.items for _, forgotten in probed if forgotten.items]
    title = ", ".join(filter(None, [f"{probe}: {quantity.name}", numbers.item_counts(counts) if counts else ""]))
    lines = [[row.label, *_probe_cells(row, forgotten, probe, reached)] for row, forgotten in probed]
    # The first four are what every row has: its name, what it gained and lost, and the verdict.
    kept = [n for n in range(len(headers)) if n < 4 or any(line[n] != numbers.MISSING for line in lines)]
    return Table(title, [headers[n] for n in kept], [[line[n] for n in kept] for line in lines])


def _probe_cells(row: Row, forgotten: Forgotten, probe: str, reached: float | None) -> Iterator[str]:
    quantity, lost = forgotten.quantity, forgotten.lost
    price = frontier.per_gained(row, probe)
    equal = frontier.at_gain(frontier.curve_places(row, probe), reached) if reached else None
    yield numbers.signed(row.gain, row.quantity) if row.gain else numbers.MISSING
    yield numbers.signed(lost, quantity)
    yield verdict_word(lost) or numbers.MISSING
    yield numbers.MISSING if price is None else numbers.quotient(price)
    yield numbers.MISSING if equal is None else numbers.difference(equal, quantity)
    yield numbers.difference(forgotten.rounding.value, quantity) if forgotten.rounding else numbers.MISSING
    yield f"{forgotten.contaminated:,}" if forgotten.contaminated else numbers.MISSING


def _note_sentences(rows: Sequence[Row], shown: Sequence[Row]) -> Iterator[str]:
    if shown:
        estimates = (estimate for row in shown for estimate in (row.gain, *(f.lost for f in row.forgetting.values())))
        yield statement([estimate for estimate in estimates if estimate], shown)
        gain, reached = shown[0].quantity, frontier.equal_gain(shown)
        outcome = shown[0].outcome
        items = f" over {numbers.item_counts([outcome.score.n])}" if outcome else ""
        of = f"{gain.unit} of {gain.name}" if gain.share else gain.name
        yield f"Gain: {of}{items}. Forgetting: in the probe's unit, for shares points; positive is loss."
        if not one_base(shown):
            yield BEST_WORDS
        yield from _standing_notes(shown)
        yield note("verdict", "per_gain")
        if any(row.relative_forgetting is not None for row in shown):
            yield note("relative_forgetting")
        if reached:
            yield (
                f"Equal gain: {numbers.difference(reached, gain)} {gain.unit} on validation items, the largest that all rows "
                "with a gain reach; forgetting there by linear interpolation along each row's curve, without an interval."
            )
    else:
        yield "No row was trained and probed."
    if any(forgotten.rounding for row in shown for forgotten in row.forgetting.values()):
        yield note("rounding")
    yield from unfair(rows)
    yield from (other.sentence for other in other_environments(rows))
    yield from (f"{row.label} (seed {row.seeds}) {row.status}: {row.reason}" for row in rows if row.status != "ok")


def _standing_notes(rows: Sequence[Row]) -> Iterator[str]:
    """How the rows stand by what each probe lost."""
    standings = forgetting_standings(rows)
    for probe, standing in standings.items():
        yield f"{probe}: {' '.join((forgetting_ranks(rows, standing), *forgetting_sentences(standing)))}"
    yield from ranks_of_models(standings.values())


def _significance(rows: Sequence[Row], probe: str) -> str:
    """`lambada: loss for full; not significant for frozen and lora-8bit.`"""
    called = {"loss": "loss", "better": "better", "none": "not significant", None: "without an interval"}
    verdicts = [(called[verdict_word(row.forgetting[probe].lost)], row.label) for row in rows if probe in row.forgetting]
    # A list of all names would say the same in more words.
    if len(verdicts) > 1 and all(word == "not significant" for word, _ in verdicts):
        return f"{probe}: not significant for any row."
    names = {word: [label for each, label in verdicts if each == word] for word in called.values()}
    by_verdict = [f"{word} for {', '.join(labels)}" for word, labels in names.items() if labels]
    return f"{probe}: {'; '.join(by_verdict)}."


def print_tables(rows: Sequence[Row]) -> None:
    """Print the tables."""
    to = console()
    for group in groups(rows):
        say(to, group.title)
        for sentence in group.findings:
            say(to, sentence)
        for table in group.tables:
            say(to, "")
            say(to, table.title)
            to.print(_terminal_table(table))
        say(to, "")
        for sentence in group.notes:
            say(to, sentence)
        say(to, "")


def _terminal_table(table: Table) -> Printed:
    printed = plain_table()
    for number, header in enumerate(table.headers):
        add_column(printed, header.term, header.text, justify="right" if number else "left")
    for line in table.lines:
        add_cells(printed, line)
    return printed


def as_markdown(rows: Sequence[Row], figure: str | None = None) -> str:
    """The tables as a page of Markdown; `figure` is the path of the curves' picture from it."""
    parts = [
        "# Gain and forgetting",
        "Made from the records of runs by `tunebench forgetting`.",
    ]
    if figure:
        parts += [
            f"![Forgetting against gain on the way, a panel per probe and a line per row](<{figure}>)",
            "Each line is a row in the order of its training, from the base that it trains, the untouched one at 0 and 0, to "
            "the marked end; gain on the way is measured on validation items. The dashed line is the frontier: ends that "
            "nothing beats in both.",
        ]
    for group in groups(rows):
        parts.append(f"## {escaped(group.title)}")
        if group.findings:
            parts.append(f"**In short.** {' '.join(map(escaped, group.findings))}")
        for table in group.tables:
            parts += [f"### {escaped(table.title)}", _table_as_markdown(table)]
        parts.append("\n".join(f"- {escaped(sentence)}" for sentence in group.notes))
    return "\n\n".join(parts) + "\n"


def _table_as_markdown(table: Table) -> str:
    return markdown_table(table.headers, [[escaped(name), *cells] for name, *cells in table.lines], [table.headers[0].text])
