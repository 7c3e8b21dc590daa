"""A comparison as Markdown for a pull request."""

import html
from collections.abc import Sequence

from reports.formats.markdown import escaped, markdown_table
from reports.gate import words
from reports.gate.change import Change
from reports.gate.compared import Compared
from reports.unseen_characters import printable


def changes_as_markdown(comparison: Compared) -> str:
    """A headline, what is worse, and a table of all changes for each model and task, folded where nothing in it is worse."""
    parts = [f"### tunebench: {_verdict_title(comparison)}", escaped(words.headline(comparison))]
    for (suite, model, task), changes in words.by_table(comparison).items():
        heading = f"{suite}: {model} on {task}"
        worse = any(change.verdict == "worse" for change in changes)
        table = _changes_table(changes)
        # Inside of HTML's own tags Markdown is not read: what it escapes would stand there as it is.
        folded = f"<details><summary>{html.escape(printable(heading))}</summary>"
        # What is worse is to be seen without a click.
        parts += [f"**{escaped(heading)}**", table] if worse else [folded, table, "</details>"]
    lines = [f"- {escaped(sentence)}" for sentence in words.comparison_lines(comparison)]
    return "\n\n".join([*parts, "\n".join(lines)]) + "\n"


def _verdict_title(comparison: Compared) -> str:
    return {0: "no regression", 1: "regression", 2: "not comparable"}[comparison.status]


def _changes_table(changes: Sequence[Change]) -> str:
    # Units too: those of imported results are a stranger's words.
    columns = list(words.CHANGE_COLUMNS.items())
    return markdown_table(columns, [list(map(escaped, words.cells(each))) for each in changes], words.LEFT_COLUMNS)
