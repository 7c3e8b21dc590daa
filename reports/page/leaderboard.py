"""The leaderboard: all records of a folder as one HTML file that needs nothing from anywhere else.

Styles, script and plots are inside it, and its content policy lets the browser load nothing more.
"""

import base64
import hashlib
import re
from dataclasses import dataclass
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from bench.folders import write_text
from bench.records import store
from bench.statistics.estimates import Estimate
from reports import definitions
from reports.page import board, plot, provenance, sections
from reports.page.cells import Board, Section
from reports.rows import numbers, standing
from reports.rows.captions import standing_sentences, statement
from reports.rows.environments import other_environments
from reports.rows.fairness import check_comparable, unfair
from reports.rows.imported import stated_sources
from reports.rows.references import without_model
from reports.rows.row import Row
from reports.rows.rows import aggregate, grouped, probe_names, ranked

TEMPLATES = Path(__file__).parent / "templates"
FILE = "leaderboard.html"


@dataclass(frozen=True)
class Plots:
    """The panels of one model and task: of the ends, and of the curves."""

    model: str
    task: str
    panels: list[Markup]
    curves: list[Markup]


@dataclass(frozen=True)
class SuitePart:
    """One suite's part of the page."""

    name: str
    board: Board
    plots: list[Plots]
    sections: list[Section]
    provenance: provenance.Origins
    intervals: str
    ranks: list[tuple[str, str]]
    """Model and task, and what the places of their rows say."""
    asked: list[str]
    """Sentences on rows whose model was asked in another than the usual way."""
    sources: list[str]
    """Sentences on rows that were imported."""
    unequal: list[str]
    """Sentences on what differs beside the strategy, and on runs that spent more than their budget."""
    environments: list[str]
    """Sentences on rows that were made in another environment than the rest."""
    faults: list[tuple[str, str]]
    """Row and self-test that does not hold."""
    fallen: list[tuple[str, str]]
    """Runs that collapsed, and why they are taken for that."""
    failed: int


def write_page(results: Path, out: Path, allow_unequal: bool = False) -> Path:
    """Read all records in `results`, write `out`/leaderboard.html atomically, and return its path.

    Raises:
        UserError: a file is no record of this schema, `out` cannot be written, or rows of one table answer different questions
            and are not allowed to.
    """
    path, rows = out / FILE, aggregate(store.read_all(results), results)
    if not allow_unequal:
        check_comparable(rows)
    write_text(path, render(rows))
    return path


def render(rows: list[Row]) -> str:
    """The page as text; the same rows give the same bytes."""
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters["typeset"] = _typeset
    environment.filters["prose"] = _prose
    environment.globals |= {"numbers": numbers, "defined": definitions.defined, "definitions": definitions.by_heading()}
    script = _asset("leaderboard.js")
    suites = [_suite(name, number, group) for number, (name, group) in enumerate(_by_suite(ranked(rows)).items())]
    template = environment.get_template("leaderboard.html.j2")
    return template.render(suites=suites, style=_asset("leaderboard.css"), script=script, script_hash=_policy_hash(script))


def _by_suite(rows: list[Row]) -> dict[str, list[Row]]:
    suites: dict[str, list[Row]] = {}
    for row in rows:
        suites.setdefault(row.setup.suite, []).append(row)
    return suites


def _suite(name: str, number: int, rows: list[Row]) -> SuitePart:
    standings = {
        f"{model} on {task}": places
        for (_, model, task), group in grouped(rows).items()
        if (places := standing.score_standing(group))
    }
    return SuitePart(
        name=name,
        board=board.wide_table([*rows, *without_model(rows)], list(standings.values())),
        plots=_plots(rows, number),
        sections=sections.small_sections(rows),
        provenance=provenance.gather(rows),
        ranks=[(where, " ".join(standing_sentences(places))) for where, places in standings.items()],
        intervals=statement([estimate for row in rows for estimate in _estimates(row)]),
        asked=[f"{row.label}: {row.asked}" for row in rows if row.asked],
        sources=[said for group in grouped(rows).values() for said in stated_sources(group)],
        unequal=[f"{model} on {task}: {said}" for (_, model, task), group in grouped(rows).items() for said in unfair(group)],
        environments=[other.sentence for other in other_environments(rows)],
        faults=[(row.label, fault) for row in rows for fault in row.faults],
        fallen=[(f"{row.label}, seed {seed}", why) for row in rows for seed, why in row.fallen.items()],
        failed=sum(len(row.records) for row in rows if row.status == "failed"),
    )


def _estimates(row: Row) -> list[Estimate]:
    found = [row.score, row.gain, *(probe.lost for probe in row.forgetting.values()), *sections.estimates(row)]
    return [estimate for estimate in found if estimate is not None]


def _plots(rows: list[Row], number: int) -> list[Plots]:
    plots = []
    for place, ((_, model, task), group) in enumerate(grouped(rows).items()):
        ends, curves = (_panels(group, f"{kind}-{number}-{place}", kind == "curve") for kind in ("plot", "curve"))
        if ends:
            plots.append(Plots(model, task, ends, curves))
    return plots


def _panels(rows: list[Row], prefix: str, curves: bool) -> list[Markup]:
    drawn = [
        plot.panel(rows, probe, quantity, f"{prefix}-{index}", curves)
        for index, (probe, quantity) in enumerate(probe_names(rows).items())
    ]
    # matplotlib has escaped the names in its SVG.
    return [Markup(svg) for svg in drawn if svg]


def _typeset(text: str) -> str:
    """A hyphen before a digit is a minus sign, as wide as a plus."""
    return text.replace("-", "−")


def _prose(text: str) -> Markup:
    """Plain text in which code stands between backticks, as definitions are written."""
    return Markup(re.sub(r"`([^`]*)`", r"<code>\1</code>", str(escape(text))))


def _asset(name: str) -> Markup:
    """A file that is written into the page as it is; these are our own."""
    return Markup((TEMPLATES / name).read_text(encoding="utf-8"))


def _policy_hash(script: str) -> str:
    """The script's name in the page's content policy: no other script may run."""
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
