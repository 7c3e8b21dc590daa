"""A sweep as tables, one for each model and task: what the strategy came to at each value of its axes, which value is best,
which are tied with it, and a caption that says what the numbers hold."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.errors import UserError
from bench.records.record import Record
from reports.paper.measures import FORGETTING, OF_A_PROBE, Measure, measures
from reports.rows import numbers
from reports.rows.captions import loud_rows, smallest_found, statement
from reports.rows.environments import other_environments
from reports.rows.fairness import unfair
from reports.rows.row import Row
from reports.rows.rows import aggregate, grouped
from reports.rows.standing import Standing

Values = tuple[str, ...]
"""One of each axis, as they were written."""
TIE = "*"
SWEPT = "swept"
"""What defines a column whose heading is an axis or one of its values."""


@dataclass(frozen=True)
class Sweep:
    """The records at each point of one or two axes, and the runs that have none."""

    axes: Values
    points: Mapping[Values, Sequence[Record]]
    missing: Sequence[str] = ()

    @property
    def scored(self) -> bool:
        """Whether there is a table to make of it."""
        return any(record.outcome for records in self.points.values() for record in records)


@dataclass(frozen=True)
class Ablation:
    """One strategy, model and task: a row for each point that has a score, what is shown of them, and sentences."""

    strategy: str
    group: tuple[str, str, str]
    axes: Values
    rows: Mapping[Values, Row | None]
    measures: Sequence[Measure]
    caption: Sequence[str]

    @property
    def scored(self) -> list[Row]:
        return [row for row in self.rows.values() if row]


@dataclass(frozen=True)
class Entry:
    """A number as it is written; the best of its column, or tied with the best."""

    text: str
    interval: str = ""
    best: bool = False
    tied: bool = False


@dataclass(frozen=True)
class Grid:
    """A table: headings of the columns that name a line, headings of the others with what defines each, and lines of names and
    entries."""

    corner: Sequence[str]
    headers: Sequence[str]
    terms: Sequence[str]
    lines: Sequence[tuple[Sequence[str], Sequence[Entry]]]


def ablations(sweep: Sweep, out: Path | None, select: Sequence[str]) -> list[Ablation]:
    """The tables of a sweep.

    Args:
        out: the folder whose per-item answers give intervals and comparisons.

    Raises:
        UserError: no run of the sweep has a score, or a column is asked for that there is not.
    """
    tables = [_ablation(sweep, group, select) for group in _groups(sweep, out) if any(row.score for row in group)]
    if not tables:
        advice = "run it without --no-run" if sweep.missing else "mend that, and run it again"
        raise UserError(f"{next(without_score(sweep))}; {advice}")
    return tables


def without_score(sweep: Sweep) -> Iterator[str]:
    """What has no table, and why: each model and task without a score, or the sweep as a whole where none was begun."""
    over = " and ".join(sweep.axes)
    # Records say whether there is a score, and no answers need to be read for it.
    groups = _groups(sweep, None)
    for group in groups:
        _, model, task = group[0].group
        if not any(row.score for row in group):
            why = f"{group[0].label} {group[0].status}: {group[0].reason}"
            yield f"no run of the sweep over {over} has a score on {task} with {model} ({why})"
    if not groups:
        others = f", and {len(sweep.missing) - 2:,} more" if len(sweep.missing) > 2 else ""
        yield f"no run of the sweep over {over} has a score (not run yet: {'; '.join(sweep.missing[:2])}{others})"


def _groups(sweep: Sweep, out: Path | None) -> list[list[Row]]:
    return list(grouped(aggregate([record for records in sweep.points.values() for record in records], out)).values())


def _ablation(sweep: Sweep, rows: Sequence[Row], select: Sequence[str]) -> Ablation:
    scored = [row for row in rows if row.score]
    placed: dict[Values, Row | None] = {}
    for values, records in sweep.points.items():
        ids = {record.run_id for record in records}
        # All runs of a row have the same settings, so that its first tells at which point it stands.
        placed[values] = next((row for row in scored if row.first.run_id in ids), None)
    columns = measures(scored, select)
    caption = [*_setup_sentences(sweep, scored), *_mark_sentences(columns), *_caveat_sentences(sweep, rows, columns)]
    return Ablation(scored[0].setup.strategy, scored[0].group, sweep.axes, placed, columns, caption)


def _setup_sentences(sweep: Sweep, rows: Sequence[Row]) -> Iterator[str]:
    """What was run: on what, how often, with how much, over how many items."""
    suite, model, task = rows[0].group
    yield f"{' and '.join(sweep.axes)} of {rows[0].setup.strategy}: {model} on {task}, suite {suite}."
    # Rows may have unlike seeds, as where one of them failed.
    seeds = list(dict.fromkeys(row.seeds for row in rows))
    budgets = list(dict.fromkeys((row.setup.budget if row.trains else None) or "none" for row in rows))
    assert rows[0].outcome
    score = rows[0].outcome.score
    counts = {
        name: [part.items for row in rows if (part := row.forgetting.get(name)) and part.items]
        for name in _probes_of_rows(rows)
    }
    probes = "; ".join(f"{name} over {numbers.item_counts(known)}" for name, known in counts.items() if known)
    yield f"Seeds: {' or '.join(seeds)}. Budget: {' or '.join(budgets)}."
    counted = [
        f"{score.name[:1].upper()}{score.name[1:]} over {numbers.item_counts([score.n])}",
        probes and f"probes: {probes}",
    ]
    yield f"{'; '.join(filter(None, counted))}."


def _probes_of_rows(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(name for row in rows for name in row.forgetting))


def _mark_sentences(columns: Sequence[Measure]) -> Iterator[str]:
    """What bold and the mark say, and by which test."""
    standings = [column.standing for column in columns if column.standing]
    if not standings:
        return
    # A probe that was not asked of all rows has fewer pairs than the score.
    pairs = max(len(standing.pairs) for standing in standings)
    corrected = f", Holm over all {pairs} pairs of a column" if pairs > 1 else ""
    unpaired = max(standing.unpaired for standing in standings)
    some = f"{unpaired} pair{'s' * (unpaired > 1)} without shared answers"
    pairing = f"paired over items but for {some}" if unpaired else "paired over items"
    yield f"Bold: best. {TIE}: not best, and no value is better by more than chance (5 %, {pairing}{corrected})."


def _caveat_sentences(sweep: Sweep, rows: Sequence[Row], columns: Sequence[Measure]) -> Iterator[str]:
    """What intervals hold, and everything that could be held against the table."""
    scored = [row for row in rows if row.score]
    yield statement([row.score for row in scored if row.score], scored)
    if any(column.term == FORGETTING for column in columns):
        yield "Forgetting: positive is loss."
    yield from _smallest_in_columns(columns)
    swept = [f"not the same chance: {axis} differs" for axis in sweep.axes]  # an axis is meant to
    yield from (_sentence(each) for each in unfair(rows) if not each.startswith(tuple(swept)))
    yield from (_sentence(other.sentence) for other in other_environments(rows))
    yield from (f"{row.label} (seed {row.seeds}) {row.status}: {row.reason}." for row in rows if not row.score)
    if sweep.missing:
        yield f"Not run yet: {'; '.join(sweep.missing)}."


def _smallest_in_columns(columns: Sequence[Measure]) -> Iterator[str]:
    """How small a difference each column would have shown; once for columns that share their standing, as score and gain do."""
    standings: list[Standing] = []
    for column in columns:
        # Known by the object: equal standings of two probes are two facts.
        if column.standing is None or any(column.standing is other for other in standings):
            continue
        standings.append(column.standing)
        of = f"{column.name.replace(OF_A_PROBE, 'forgets ')}: " if column.name != "score" else ""
        yield from (f"{of}{sentence}" for sentence in (*loud_rows(column.standing), *smallest_found(column.standing)))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def grid(ablation: Ablation) -> Grid:
    """A line for each point and a column for each measure; of two axes and one measure a line for each value of the first and a
    column for each of the second."""
    entries = {values: [_entry(ablation, column, row) for column in ablation.measures] for values, row in ablation.rows.items()}
    if len(ablation.axes) == 2 and len(ablation.measures) == 1:
        down, across = (list(dict.fromkeys(values[side] for values in entries)) for side in (0, 1))
        headers = [f"{ablation.axes[1]}={value}" for value in across]
        lines = [([one], [entries[one, other][0] for other in across]) for one in down]
        return Grid(ablation.axes[:1], headers, [SWEPT] * len(headers), lines)
    headers, terms = [column.header for column in ablation.measures], [column.term for column in ablation.measures]
    return Grid(ablation.axes, headers, terms, list(entries.items()))


def transposed(table: Grid) -> Grid:
    """Its columns as lines."""
    headers = [", ".join(names) for names, _ in table.lines]
    # Best and tied are marked already, and turn with their numbers.
    columns = [[entries[number] for _, entries in table.lines] for number in range(len(table.headers))]
    lines = [([header], entries) for header, entries in zip(table.headers, columns, strict=True)]
    return Grid([", ".join(table.corner)], headers, [SWEPT] * len(headers), lines)


def _entry(ablation: Ablation, column: Measure, row: Row | None) -> Entry:
    number = column.number(row) if row else None
    value = column.value(row) if row else None
    if row is None or number is None or value is None:
        return Entry(numbers.MISSING)
    interval = "" if isinstance(number, int | float) else column.brackets(number)
    rows, run_id = ablation.scored, row.first.run_id
    # The best is that of all points of the sweep, also where the table is a grid.
    return Entry(column.text(value), interval, run_id in column.best(rows), run_id in column.tied(rows))
