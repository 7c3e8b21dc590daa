"""The section of the page that draws each row's course over what was accepted as a baseline."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from reports.gate.course_words import changes_of, course_level, course_title
from reports.gate.history import RowCourse
from reports.page.suite import page_templates

WIDTH, HEIGHT, EDGE = 160, 28, 3
"""Of a drawing, in its own units; its points keep the edge free."""


@dataclass(frozen=True)
class DrawnCourse:
    """A line of the table."""

    course: RowCourse
    what: str
    first: str
    last: str
    places: Sequence[tuple[float, float]]
    """Of the points in the drawing, the oldest first."""
    changes: Sequence[tuple[float, str]]
    """Where a new level begins, and what changed there."""

    @property
    def label(self) -> str:
        """What the drawing shows, for who does not see it."""
        changes = "; ".join(text for _, text in self.changes) or (
            "no change" if self.course.tells else "a change is not known of"
        )
        over = f"{self.what} of {self.course.row.label} over {len(self.course.points)} baselines"
        return f"{over}, {self.first} to {self.last}: {changes}"


def courses_section(courses: Sequence[RowCourse]) -> Markup:
    """The section as HTML, in which nothing from outside is markup."""
    # Courses come suite by suite as they were accepted, and a reader looks for a row.
    lines = sorted(map(_drawn_course, courses), key=lambda line: (*line.course.row.group, line.course.row.label))
    template = page_templates().get_template("courses.html.j2")
    return Markup(template.render(lines=lines, width=WIDTH, height=HEIGHT, left_out=max(c.left_out for c in courses)))


def _drawn_course(course: RowCourse) -> DrawnCourse:
    first, last = (course_level(course, value) for value in (course.values[0], course.values[-1]))
    places = _course_points(course.values)
    # The line stands between the last point of the old level and the first of the new one.
    begins = [(places[place - 1][0] + places[place][0]) / 2 for place in course.changes]
    changes = list(zip(begins, changes_of(course), strict=True))
    return DrawnCourse(course, course_title(course), first, last, places, changes)


def _course_points(values: Sequence[float]) -> list[tuple[float, float]]:
    """Across the width, and between the lowest value below and the highest above; equal ones in the middle."""
    low, span, step = min(values), max(values) - min(values), (WIDTH - 2 * EDGE) / max(len(values) - 1, 1)
    heights = [(value - low) / span if span else 0.5 for value in values]
    # In a drawing y grows downwards.
    return [(EDGE + step * n, HEIGHT - EDGE - (HEIGHT - 2 * EDGE) * height) for n, height in enumerate(heights)]
