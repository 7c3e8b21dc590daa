"""A row's course in words, as a terminal and the page say it: which number it is, a value of it, and what changed where."""

from itertools import pairwise
from statistics import fmean

from reports.gate.history import RowCourse
from reports.rows import numbers


def changes_of(course: RowCourse) -> list[str]:
    """`full: score .846 before, .829 from 2026-11-20 ab12cd34 on (-1.7 points)`, a line for each change point."""
    # A level is the mean from one change to the next, as the change points were found by it.
    ends = [0, *course.changes, len(course.points)]
    levels = [fmean(course.values[start:end]) for start, end in pairwise(ends)]
    return [
        f"{course.row.label}: {course_title(course)} {course_level(course, before)} before, {course_level(course, after)} from "
        f"{course.points[place][0].name} on ({numbers.difference(after - before, course.quantity)} {course.quantity.unit})"
        for place, (before, after) in zip(course.changes, pairwise(levels), strict=True)
    ]


def course_title(course: RowCourse) -> str:
    """Which of the row's numbers it is."""
    return f"forgets {course.probe}" if course.probe else "score"


def course_level(course: RowCourse, value: float) -> str:
    """One of its values, or the mean of some: what a probe lost is a difference, with its sign."""
    write = numbers.difference if course.probe else numbers.level
    return write(value, course.quantity)
