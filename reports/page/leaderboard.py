"""The leaderboard: all records of a folder as one HTML file that needs nothing from anywhere else.

Styles, script and data are inside it, and its content policy lets the browser run and load nothing more.
"""

import base64
import hashlib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from markupsafe import Markup

from bench.errors import UserError
from bench.folders import write_text
from bench.groups import groups_by
from bench.records import store
from bench.records.contract import Json
from reports import definitions
from reports.boards.page_json import in_html
from reports.gate.history import courses
from reports.page.courses import courses_section
from reports.page.suite import TEMPLATES, page_templates, suite_part
from reports.rows.row import Row
from reports.rows.rows import ranked
from reports.rows.summaries import SuiteReport, suite_summaries
from reports.unseen_characters import visible

FILE = "leaderboard.html"
SCRIPTS = ("elements", "state", "table", "ranking", "rule", "chooser", "plots", "drawings", "disagreements", "runs", "main")
"""The page's own script, file after file."""


def write_page(results: Path, out: Path, allow_unequal: bool = False, baselines: Path | None = None) -> Path:
    """Write the page of all records in `results` as `out`/leaderboard.html, atomically, and return its path. Suites of which no
    record has changed since the last time are not read again. Courses over the accepted `baselines` are drawn.

    Raises:
        UserError: there are no records, a file is none of this schema, `out` cannot be written, or rows of one table answer
            different questions and `allow_unequal` does not admit them.
    """
    if not any(store.folder(results).glob("*.json")):
        raise UserError(f"no records in {store.folder(results)}; run a suite first")
    path, made = out / FILE, SuiteReport("page", lambda rows: suite_part(ranked(rows), results))
    drawn = courses_section(courses(baselines)) if baselines else ""
    write_text(path, page(suite_summaries(results, out, made, allow_unequal), drawn))
    return path


def render(rows: Sequence[Row], results: Path | None = None) -> str:
    """The page as text; the same rows give the same bytes. `results` is the folder of the answers per item, without which no
    two runs are held against each other."""
    return page([suite_part(group, results) for group in groups_by(ranked(rows), lambda row: row.setup.suite).values()])


def page(suites: Sequence[Json], history: str = "") -> str:
    """The page of the suites' parts, and of a section of their history."""
    script, drawing = "\n".join(_page_file(f"script/{name}.js") for name in SCRIPTS), _d3_script()
    style = _page_file("leaderboard.css")
    # These are HTML or become it here; the script reads the rest.
    inside = ("text", "overall", "alarms", "notes")
    written = (
        page_templates()
        .get_template("leaderboard.html.j2")
        .render(
            suites=suites,
            history=history,
            definitions=definitions.by_heading(),
            style=Markup(style),
            script=Markup(script),
            drawing=Markup(drawing),
            data=Markup(in_html([{name: part for name, part in suite.items() if name not in inside} for suite in suites])),
            policy=Markup(f"script-src {_policy_hash(drawing)} {_policy_hash(script)}; style-src {_policy_hash(style)}"),
        )
    )
    return visible(written)


def _d3_script() -> str:
    """The script of D3, which mpld3's package carries; mpld3 itself is not needed, and not loaded."""
    package = find_spec("mpld3")
    assert package and package.origin  # pyproject.toml asks for it
    # Read and not imported: mpld3 itself would load matplotlib.
    return (Path(package.origin).parent / "js" / "d3.v5.min.js").read_text(encoding="utf-8").strip()


def _page_file(name: str) -> str:
    """A file that is written into the page as it is; these are our own."""
    return (TEMPLATES / name).read_text(encoding="utf-8").strip()


def _policy_hash(text: str) -> str:
    """What the content policy calls a script or style: no other runs."""
    # A browser runs the script whose hash the policy names, and no other that got into the page.
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
