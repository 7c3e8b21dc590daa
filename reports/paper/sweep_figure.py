"""A sweep as a figure: each number over the values of the first axis with its interval, a line for each value of the second."""

import io
from collections.abc import Sequence
from itertools import cycle
from math import ceil
from operator import itemgetter
from pathlib import Path
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from bench.errors import UserError
from reports.paper.ablation import Ablation
from reports.paper.measures import Measure
from reports.paper.plot import ACROSS, COLOURS, INCHES, MARKERS, SVG_METADATA, drawing, short
from reports.rows.row import Row

FIGURE_ENDINGS: dict[str, dict[str, Any]] = {
    ".pdf": {"Creator": None, "Producer": None, "CreationDate": None},
    ".png": {"Software": None},
    ".svg": SVG_METADATA,
}
"""Of a file's name, with what is left out of the file so that the same numbers give the same bytes."""
DOTS = 200
"""Per inch of a PNG."""
WIDE = 8.0
"""Values that are so many times each other are drawn on a logarithmic scale."""


def check_figure(path: Path) -> None:
    """Raise UserError where the file's ending is no kind of figure."""
    if path.suffix.lower() not in FIGURE_ENDINGS:
        raise UserError(
            f"--figure {path}: its ending says what it becomes; name a file that ends in {', '.join(FIGURE_ENDINGS)}"
        )


def sweep_figure(ablations: Sequence[Ablation], ending: str) -> bytes:
    """All tables as one figure of the kind that the file's ending names: a panel for each table and number."""
    panels = [(ablation, measure) for ablation in ablations for measure in ablation.measures]
    across = min(len(panels), ACROSS)
    with drawing({"pdf.fonttype": 42}):
        size = (INCHES[0] * across, INCHES[1] * ceil(len(panels) / across))
        figure = Figure(figsize=size, dpi=72, layout="constrained")
        for place, (ablation, measure) in enumerate(panels, start=1):
            axes = figure.add_subplot(ceil(len(panels) / across), across, place)
            _draw_panel(axes, ablation, measure)
            _, model, task = ablation.group
            title = short(f"{ablation.strategy}: {model} on {task}")
            axes.set_title(title, loc="left", fontweight="bold", parse_math=False)
        buffer = io.BytesIO()
        kind = ending.lower()
        # PDF and SVG are measured in points, of which an inch has 72.
        figure.savefig(buffer, format=kind[1:], metadata=FIGURE_ENDINGS[kind], dpi=DOTS if kind == ".png" else 72)
    return buffer.getvalue()


def _draw_panel(axes: Axes, ablation: Ablation, measure: Measure) -> None:
    values = list(dict.fromkeys(point[0] for point in ablation.rows))
    places = _places_on_axis(values)
    series = list(dict.fromkeys(point[1:] for point in ablation.rows))
    for other, colour, marker in zip(series, cycle(COLOURS), cycle(MARKERS)):
        known = [(places[point[0]], row) for point, row in ablation.rows.items() if row and point[1:] == other]
        drawn = sorted(((place, row) for place, row in known if measure.value(row) is not None), key=itemgetter(0))
        # A line needs a point, and one of two axes may have failed at all of its values.
        if drawn:
            _draw_series(axes, measure, drawn, colour, marker, short(f"{ablation.axes[1]}={other[0]}") if other else "")
    if _spans_wide(values):
        axes.set_xscale("log")
    axes.set_xticks(list(places.values()), list(map(short, places)), parse_math=False)
    # A logarithmic axis has ticks between the values, at which nothing was run.
    axes.minorticks_off()
    axes.set_xlabel(short(ablation.axes[0]), parse_math=False)
    axes.set_ylabel(measure.header, parse_math=False)
    axes.margins(0.08)
    if len(series) > 1:
        axes.legend(frameon=False)


def _draw_series(
    axes: Axes, measure: Measure, drawn: Sequence[tuple[float, Row]], colour: str, marker: str, label: str
) -> None:
    # Rows without a value were left out before, and a zero stands here for mypy alone.
    levels = [measure.unit(measure.value(row) or 0.0) for _, row in drawn]
    bounds = [measure.bounds(row) for _, row in drawn]
    ends = [tuple(map(measure.unit, each)) if each else (level, level) for each, level in zip(bounds, levels, strict=True)]
    # An interval of a share need not hold the mean in its middle; it always holds it.
    below, above = zip(
        *((max(level - low, 0), max(high - level, 0)) for level, (low, high) in zip(levels, ends, strict=True)), strict=True
    )
    axes.errorbar(
        [place for place, _ in drawn],
        levels,
        yerr=[below, above],
        color=colour,
        marker=marker,
        markersize=5,
        linewidth=1.2,
        elinewidth=0.9,
        capsize=2.5,
        label=label or None,
    )


def _numbers_of_values(values: Sequence[str]) -> list[float] | None:
    try:
        return [float(value) for value in values]
    except ValueError:
        return None


def _spans_wide(values: Sequence[str]) -> bool:
    numeric = _numbers_of_values(values)
    return numeric is not None and min(numeric) > 0 and max(numeric) >= WIDE * min(numeric)


def _places_on_axis(values: Sequence[str]) -> dict[str, float]:
    """Where each value stands on the axis: at its own number, or in the order of the values."""
    return dict(zip(values, _numbers_of_values(values) or map(float, range(len(values))), strict=True))
