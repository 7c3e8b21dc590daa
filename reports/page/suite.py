"""One suite's part of the page, as plain JSON: its ranking, its smaller tables with the text around them, what is alarming."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from re import sub
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from bench.records.contract import Json
from bench.statistics.estimates import Estimate
from reports import definitions
from reports.boards.cells import Board
from reports.boards.page_json import board_json
from reports.boards.ranking import ranking, standings_of
from reports.page import provenance, sections
from reports.page.across import across_section
from reports.page.items import items_of
from reports.page.runs import runs_of
from reports.rows import numbers
from reports.rows.captions import GAINS_TOLD, standing_sentences, statement
from reports.rows.environments import other_environments
from reports.rows.fairness import unfair
from reports.rows.imported import stated_sources
from reports.rows.row import Row
from reports.rows.rows import grouped

TEMPLATES = Path(__file__).parent / "templates"


class PlacedTables:
    """The tables of one part; its text holds their places."""

    def __init__(self) -> None:
        self.placed: list[Json] = []

    def place(self, board: Board, caption: str) -> Markup:
        self.placed.append(board_json(board) | {"caption": caption})
        return Markup(f'<div class="table narrow" data-table="{len(self.placed) - 1}"></div>')


def page_templates() -> Environment:
    """Where the page's templates are, and what they may call."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["prose"] = _prose_html
    environment.globals |= {"numbers": numbers, "defined": definitions.defined}
    return environment


def suite_part(rows: Sequence[Row], out: Path | None = None) -> Json:
    """`out` is the folder of the answers per item. In the part, `text` and `overall` are HTML with places for `tables`;
    `alarms` are pairs of what is alarming and why; `notes` say how the numbers of the ranking are meant."""
    standings, tables = standings_of(rows), PlacedTables()
    name = rows[0].setup.suite
    # A suite's part is kept as text from one page to the next, so that it is made by itself.
    render: Any = page_templates().get_template("suite.html.j2").module
    overall = across_section(rows)
    ranked, runs = ranking(rows, standings), runs_of(rows)
    if out:
        _add_answers(ranked, runs, rows, out)
    return {
        "name": name,
        **ranked,
        **runs,
        "overall": str(render.section(overall, name, tables.place)) if overall.tables else "",
        "text": str(render.details(name, sections.small_sections(rows), provenance.gather(rows), tables.place)),
        "tables": tables.placed,
        "alarms": list(_suite_alarms(rows)),
        "notes": [
            *(GAINS_TOLD if any(row.gain for row in rows) else ()),
            statement([estimate for row in rows for estimate in _estimates_on_page(row)], rows),
            *(
                f"{model} on {task}: {' '.join(standing_sentences(standing))}"
                for (_, model, task), standing in standings.items()
            ),
            *(f"{row.label}: {row.asked}." for row in rows if row.asked),
            *(f"{said}." for group in grouped(rows).values() for said in stated_sources(group)),
        ],
    }


def _add_answers(ranked: Json, runs: Json, rows: Sequence[Row], out: Path) -> None:
    """Adds to the groups and to the runs what two runs are held against each other by, item by item."""
    own: dict[str, Json] = {}
    for group, (_, members) in zip(ranked["groups"], grouped(rows).items(), strict=False):  # answers without a model come after
        group["answers"], answers_by_run = items_of(members, out)
        own |= answers_by_run
    for run in runs["runs"]:
        run |= own.get(run["id"], {})


def _row_in_its_table(row: Row) -> str:
    """A suite may have the strategy on several models and tasks."""
    return f"{row.label} ({row.setup.model} on {row.setup.task})"


def _suite_alarms(rows: Sequence[Row]) -> Iterator[tuple[str, str]]:
    for row in rows:
        for fault in row.faults:
            yield _row_in_its_table(row), f"the check {fault} does not hold. Don't trust this suite's numbers until it does."
    for row in rows:
        for seed, why in row.fallen.items():
            yield (
                f"{_row_in_its_table(row)}, seed {seed}",
                f"collapsed: {why}. Its numbers say nothing of what the strategy can do.",
            )
    # Their reasons stand in the table, and a suite may have hundreds of them.
    if failed := sum(len(row.records) for row in rows if row.status == "failed"):
        runs = "run" if failed == 1 else "runs"
        yield f"{failed} {runs} failed", "the reasons are in the table. Run the suite again to retry."
    for (_, model, task), group in grouped(rows).items():
        yield from ((f"{model} on {task}", f"{said}.") for said in unfair(group))
    for other in other_environments(rows):
        who, _, what = other.sentence.partition(": ")
        yield who, f"{what}."


def _estimates_on_page(row: Row) -> list[Estimate]:
    estimates = [row.score, row.gain, *(probe.lost for probe in row.forgetting.values()), *sections.estimates(row)]
    return [estimate for estimate in estimates if estimate is not None]


def _prose_html(text: str) -> Markup:
    """Plain text in which code stands between backticks, as definitions are written."""
    return Markup(sub(r"`([^`]*)`", r"<code>\1</code>", str(escape(text))))
