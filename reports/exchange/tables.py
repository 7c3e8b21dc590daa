"""Rows as CSV for programs, and as Markdown and LaTeX for people."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from bench.statistics.estimates import Estimate
from reports.formats.csv_text import csv_text
from reports.formats.latex import floating_table, latex_escaped, latex_file, latex_numbers
from reports.formats.markdown import escaped, markdown_table
from reports.rows import numbers
from reports.rows.captions import GAINS_TOLD, forgetting_lines, standing_sentences, stated
from reports.rows.doubts import doubts
from reports.rows.environments import other_environments
from reports.rows.fairness import unfair
from reports.rows.imported import stated_sources
from reports.rows.means import MEAN_COSTS
from reports.rows.row import Row
from reports.rows.rows import grouped, probe_names, ranked
from reports.rows.standing import Standing, score_places, score_standing, shown
from reports.rows.verdicts import BESIDE_INTERVALS, MARKED, mark, verdict_word

CSV_TERMS = {
    "metric": "score",
    "rank_best": "rank",
    "rank_worst": "rank",
    "train_examples": "examples",
    "train_tokens": "tokens",
    "train_flops": "flops",
    "train_seconds": "training",
    "eval_seconds": "evaluation",
    "probe_seconds": "probing",
    "peak_memory_bytes": "memory",
    "trainable_parameters": "trainable",
    "total_parameters": "total",
    "saved_bytes": "saved",
}
"""Of the CSV: column -> the term that defines it, where that has another name."""
FORGETS = "forgets."
"""With which the column of a probe's loss begins in the CSV."""
WITH_INTERVAL = " [95 %]"
"""With which the score's header ends."""
INTERVAL_ENDS = ("_low", "_high")
"""With which the columns of an interval's ends end."""
VERDICT_END = "_verdict"
"""With which the column of what is said of a loss ends."""


def rows_as_csv(rows: Sequence[Row]) -> str:
    """A line for each row, the best first, with full numbers; what is not known is empty. What is unfair in a table is said in
    each of its lines, and why a row is not to be trusted in its own."""
    places, unequal = score_places(rows), {key: "; ".join(unfair(group)) for key, group in grouped(rows).items()}
    lines = [
        {**_csv_columns(row, places), "unequal": unequal[row.group], "doubts": "; ".join(doubts(row))} for row in ranked(rows)
    ]
    return csv_text(lines, _csv_term)


def _csv_term(column: str) -> str:
    if column.endswith(INTERVAL_ENDS):
        return "interval"
    if column.startswith(FORGETS) and column.endswith(VERDICT_END):
        return "verdict"
    return "forgetting" if column.startswith(FORGETS) else CSV_TERMS.get(column, column)


def _csv_columns(row: Row, places: dict[str, tuple[int, int]]) -> dict[str, Any]:
    measured = {**_csv_scores(row), **_csv_places(row, places), **_csv_losses(row), **_csv_costs(row)}
    return {**_csv_naming(row), **measured}


def _csv_naming(row: Row) -> dict[str, Any]:
    suite, model, task = row.group
    names = {"suite": suite, "model": model, "task": task, "strategy": row.setup.strategy, "row": row.label}
    return {**names, "seeds": row.seeds, "budget": row.budget, "status": row.status, "reason": row.first.reason}


def _csv_scores(row: Row) -> dict[str, Any]:
    score = row.outcome.score if row.outcome else None
    columns = {"metric": score.name if score else None, "items": score.n if score else None}
    parts = {"score": row.score, "gain": row.gain, "over_best": row.over_best}
    return {**columns, **{key: value for name, part in parts.items() for key, value in _csv_estimate(name, part).items()}}


def _csv_estimate(name: str, part: Estimate | None) -> dict[str, Any]:
    low, high = (part.low, part.high) if part else (None, None)
    return {name: part.value if part else None, f"{name}_low": low, f"{name}_high": high}


def _csv_places(row: Row, places: dict[str, tuple[int, int]]) -> dict[str, Any]:
    # A row without a score stands in no order.
    best, worst = places.get(row.first.run_id, (None, None))
    return {"seed_sd": row.seed_sd, "rank_best": best, "rank_worst": worst}


def _csv_losses(row: Row) -> dict[str, Any]:
    columns = [_csv_loss(f"{FORGETS}{name}", part.lost) for name, part in row.forgetting.items()]
    return {key: value for of_probe in columns for key, value in of_probe.items()}


def _csv_loss(column: str, lost: Estimate) -> dict[str, Any]:
    return {**_csv_estimate(column, lost), f"{column}{VERDICT_END}": verdict_word(lost)}


def _csv_costs(row: Row) -> dict[str, Any]:
    return {name: getattr(row.cost, name) if row.cost else None for name in MEAN_COSTS}


@dataclass(frozen=True)
class ShownTable:
    """The scored rows of one suite, model and task as text, and what is to be known of them."""

    group: tuple[str, str, str]
    columns: Sequence[tuple[str, str]]
    """Each header, and the term that defines it; none where no row has a score."""
    lines: Sequence[Sequence[str]]
    """The row's name first."""
    told: Sequence[str]
    """What the numbers hold, in sentences."""
    failed: Sequence[str]
    """Rows without a score, for which a table of numbers has no line: a gap is not to be silent."""

    @property
    def title(self) -> str:
        suite, model, task = self.group
        return f"{suite}: {model} on {task}"


def shown_tables(rows: Sequence[Row]) -> list[ShownTable]:
    """One for each suite, model and task."""
    return [_shown_table(key, ranked(group)) for key, group in grouped(rows).items()]


def _shown_table(group: tuple[str, str, str], rows: Sequence[Row]) -> ShownTable:
    scored = [row for row in rows if row.score]
    failed = [sentence for row in rows if not row.score for sentence in doubts(row)]
    if not scored:
        return ShownTable(group, [], [], [], failed)
    probes, standing, first = probe_names(scored), score_standing(scored), scored[0].quantity
    gains = [(f"gain ({first.unit})", "gain"), (f"over best ({first.unit})", "over_best")]
    losses = [(f"forgets {name} ({quantity.unit})", "forgetting") for name, quantity in probes.items()]
    columns = [("strategy", "strategy"), ("rank", "rank"), (f"{first.name}{WITH_INTERVAL}", "score"), *gains, *losses]
    lines = [[row.label, *_cells(row, standing, list(probes))] for row in scored]
    told = [*GAINS_TOLD, *stated([row.score for row in scored if row.score], scored), *standing_sentences(standing)]
    told += [MARKED, BESIDE_INTERVALS] if probes else []
    told += [*forgetting_lines(scored), *unfair(rows), *stated_sources(rows)]
    told += [other.sentence for other in other_environments(rows)]
    told += [sentence for row in scored for sentence in doubts(row)]
    return ShownTable(group, [*columns, ("train (s)", "training"), ("saved", "saved")], lines, told, failed)


def rows_as_markdown(rows: Sequence[Row]) -> str:
    """A table for each suite, model and task, and sentences on what its numbers hold."""
    return "\n\n".join(part for table in shown_tables(rows) for part in _markdown_parts(table)) + "\n"


def _markdown_parts(table: ShownTable) -> Iterator[str]:
    yield f"## {escaped(table.title)}"
    if table.lines:
        columns = [(_escaped_header(header), term) for header, term in table.columns]
        yield markdown_table(columns, [[escaped(name), *cells] for name, *cells in table.lines], ["strategy"])
    for sentences in filter(None, (table.told, table.failed)):
        yield "\n".join(f"- {escaped(sentence)}" for sentence in sentences)


def _escaped_header(header: str) -> str:
    """The brackets around 95 % are ours, and link nowhere."""
    name = header.removesuffix(WITH_INTERVAL)
    return escaped(name) + header[len(name) :]


def rows_as_latex(rows: Sequence[Row]) -> str:
    """A floating table for each suite, model and task, its caption with what the numbers hold."""
    tables = [
        floating_table(
            [f"{table.title}.", *table.told, *table.failed],
            table.group,
            [header for header, _ in table.columns],
            [[latex_escaped(name), *map(latex_numbers, cells)] for name, *cells in table.lines],
        )
        for table in shown_tables(rows)
        if table.lines
    ]
    return latex_file("export latex", tables)


def _cells(row: Row, standing: Standing | None, probes: Sequence[str]) -> list[str]:
    losses = map(row.forgetting.get, probes)
    lost = [numbers.signed(part.lost, part.quantity) + mark(part.lost) if part else numbers.MISSING for part in losses]
    seconds, saved = (row.cost.train_seconds, row.cost.saved_bytes) if row.cost else (None, None)
    return [
        shown(standing.of(row) if standing else None),
        score_text(row),
        *(numbers.signed(gain, row.quantity) if gain else numbers.MISSING for gain in (row.gain, row.over_best)),
        *lost,
        numbers.MISSING if seconds is None else numbers.seconds(seconds),
        numbers.MISSING if saved is None else numbers.scaled(saved, "B"),
    ]


def score_text(row: Row) -> str:
    """`.846 [.821, .869]`"""
    if row.score is None:
        return numbers.MISSING
    return f"{numbers.level(row.score.value, row.quantity)} {numbers.brackets(row.score, row.quantity, signed=False)}".rstrip()
