"""`tunebench history` in a terminal: a line for each number, with its course and where it changed."""

from collections.abc import Sequence

from bench.groups import groups_by
from reports.formats.console import add_cells, add_column, console, plain_table, say
from reports.gate.course_words import changes_of, course_level, course_title
from reports.gate.history import RowCourse

BARS = "▁▂▃▄▅▆▇█"
MOST_SHOWN = 24
"""Of the newest points, so many are drawn."""


def print_courses(all_courses: Sequence[RowCourse]) -> None:
    """Print a table for each suite, model and task, and below it what changed where."""
    to = console()
    groups = groups_by(sorted(all_courses, key=lambda course: course.row.label), lambda course: course.row.group)
    for (suite, model, task), courses in groups.items():
        say(to, f"{suite}: {model} on {task}")
        table = plain_table()
        add_column(table, "strategy", "strategy", justify="left")
        add_column(table, "course", "what", justify="left")
        for header in ("baselines", "first", "last"):
            add_column(table, "course", header, min_width=7)
        add_column(table, "course", "course", justify="left")
        add_column(table, "change_point", "changed", justify="left")
        for course in courses:
            add_cells(table, _course_cells(course))
        to.print(table)
        for course in courses:
            for line in changes_of(course):
                say(to, line)
        # Courses of one table mostly leave out the same baselines, which one line tells.
        if left_out := max(course.left_out for course in courses):
            say(to, f"{left_out} earlier baselines are left out: they answered another question than the newest.")


def _course_cells(course: RowCourse) -> tuple[str, ...]:
    first, last = (course_level(course, value) for value in (course.values[0], course.values[-1]))
    # Of one point, or of points of one seed, an empty cell would say that nothing changed.
    dates = ", ".join(course.points[place][0].name for place in course.changes) if course.tells else "not known"
    points, bars = str(len(course.points)), drawn_as_bars(course.values)
    return course.row.label, course_title(course), points, first, last, bars, dates


def drawn_as_bars(values: Sequence[float]) -> str:
    """The newest values as bars between the lowest and the highest of them."""
    shown = values[-MOST_SHOWN:]
    # Each course has a scale of its own: what it shows is when it moved, and the line below says how far.
    low, width = min(shown), max(shown) - min(shown)
    return "".join(BARS[round((value - low) / width * (len(BARS) - 1))] if width else BARS[0] for value in shown)
