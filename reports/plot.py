"""Gain against forgetting as inline SVG: one panel per probe, a point per row, its 95 % intervals, its name beside it.

The same rows give the same bytes. Names come from users: they are never read as mathematics, and matplotlib escapes them.
"""

import io
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from reports.intervals import Estimate
from reports.numbers import Measure
from reports.rows import Row

# Okabe & Ito 2008, told apart by colour-blind people; its yellow is too pale for a white panel.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#56B4E9", "#E69F00")
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "<", ">")
INCHES = (4.6, 3.6)
FONT = 9
STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "tunebench",
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.size": FONT,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
NEAR = ((8.0, 7.0), (8.0, -7.0), (-8.0, 7.0), (-8.0, -7.0), (0.0, 12.0), (0.0, -12.0), (8.0, 0.0), (-8.0, 0.0))
AROUND = [(reach * dx, reach * dy) for reach in (1, 2, 3.5, 5) for dx, dy in NEAR]
"""Places of a label around its point in pixels, the best first."""
LETTER = 0.58
"""Mean width of a letter in units of the font's size, for the placing of labels."""


@dataclass(frozen=True)
class Point:
    """A row in a panel: gain and forgetting, each in points or in its own unit."""

    label: str
    colour: str
    marker: str
    x: Estimate
    y: Estimate


@dataclass(frozen=True)
class Box:
    """A rectangle in pixels."""

    left: float
    bottom: float
    width: float
    height: float

    def overlap(self, other: "Box") -> float:
        across = min(self.left + self.width, other.left + other.width) - max(self.left, other.left)
        along = min(self.bottom + self.height, other.bottom + other.height) - max(self.bottom, other.bottom)
        return max(across, 0.0) * max(along, 0.0)


def panel(rows: Sequence[Row], probe: str, measure: Measure, prefix: str) -> str | None:
    """The panel of one probe for rows of one model and task; None if no row has both numbers.

    `prefix` keeps the SVG's ids apart from those of the page's other panels.
    """
    points = _points(rows, probe, measure)
    if not points:
        return None
    gain = next(row.measure for row in rows if row.gain)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=INCHES, dpi=72, layout="constrained")
        axes = figure.add_subplot()
        axes.set_title(probe, loc="left", fontweight="bold", parse_math=False)
        axes.set_xlabel(f"gain, {gain.unit} (right is better)", parse_math=False)
        axes.set_ylabel(f"forgetting, {measure.unit} (down is better)", parse_math=False)
        _draw(axes, points)
        FigureCanvasSVG(figure).draw()  # lays the axes out, which places in pixels depend on
        _label(axes, points)
        figure.set_layout_engine("none")
        return _inline(_svg(figure), _words(rows[0], probe, gain, measure, points), prefix)


def _points(rows: Sequence[Row], probe: str, measure: Measure) -> list[Point]:
    points = []
    drawn = sorted((row for row in rows if row.gain and row.forgetting), key=lambda row: row.label)
    for index, row in enumerate(drawn):
        if row.gain is None or probe not in row.forgetting:
            continue
        x, y = _in_unit(row.gain, row.measure), _in_unit(row.forgetting[probe].lost, measure)
        if math.isfinite(x.value) and math.isfinite(y.value):
            points.append(Point(row.label, COLOURS[index % len(COLOURS)], MARKERS[index % len(MARKERS)], x, y))
    return points


def _in_unit(estimate: Estimate, measure: Measure) -> Estimate:
    """Shares in points, all else as it is."""
    if not measure.share:
        return estimate
    low, high = (None if end is None else 100 * end for end in (estimate.low, estimate.high))
    return Estimate(100 * estimate.value, low, high, estimate.basis, estimate.runs)


def _draw(axes: Axes, points: Sequence[Point]) -> None:
    axes.axhline(0, color="#999999", linewidth=0.8, zorder=0)
    axes.axvline(0, color="#999999", linewidth=0.8, zorder=0)
    for point in points:
        axes.errorbar(
            point.x.value,
            point.y.value,
            xerr=_arms(point.x),
            yerr=_arms(point.y),
            color=point.colour,
            marker=point.marker,
            markersize=7,
            markeredgecolor="white",
            markeredgewidth=0.6,
            elinewidth=1,
            alpha=0.9,
        )
    axes.margins(0.12)


def _arms(estimate: Estimate) -> list[list[float]] | None:
    """Error bars as lengths below and above; a bootstrap interval need not hold its value, and lengths cannot be negative."""
    if estimate.low is None or estimate.high is None or not math.isfinite(estimate.low + estimate.high):
        return None
    return [[max(estimate.value - estimate.low, 0.0)], [max(estimate.high - estimate.value, 0.0)]]


def _label(axes: Axes, points: Sequence[Point]) -> None:
    """Each name at the place around its point that covers least of what is there, with a thin line if it is far."""
    frame = axes.get_window_extent()
    centres = [axes.transData.transform((point.x.value, point.y.value)) for point in points]
    taken = [Box(x - 5, y - 5, 10, 10) for x, y in centres]
    bars = [bar for point in points for bar in _bars(axes, point)]
    for point, (x, y) in zip(points, centres, strict=True):
        width, height = LETTER * FONT * len(point.label), 1.2 * FONT
        places = [
            Box(x + dx + (0 if dx > 0 else -width if dx < 0 else -width / 2), y + dy - height / 2, width, height)
            for dx, dy in AROUND
        ]
        costs = [_crowding(place, taken, bars, Box(*frame.bounds), index) for index, place in enumerate(places)]
        best = places[costs.index(min(costs))]
        taken.append(best)
        far = math.hypot(best.left + width / 2 - x, best.bottom + height / 2 - y) > width / 2 + 16
        axes.annotate(
            point.label,
            xy=(x, y),
            xycoords="figure pixels",
            xytext=(best.left, best.bottom + height / 2),
            textcoords="figure pixels",
            va="center",
            color="#1a1a1a",
            parse_math=False,
            arrowprops={"arrowstyle": "-", "color": point.colour, "linewidth": 0.6, "shrinkB": 3} if far else None,
        )


def _bars(axes: Axes, point: Point) -> list[Box]:
    """The error bars as thin boxes in pixels."""
    bars = []
    for low, high, across in ((point.x.low, point.x.high, True), (point.y.low, point.y.high, False)):
        if low is None or high is None or not math.isfinite(low + high):
            continue
        ends = [(end, point.y.value) if across else (point.x.value, end) for end in (low, high)]
        (left, bottom), (right, top) = axes.transData.transform(ends)
        bars.append(Box(left, bottom - 1, right - left, 2) if across else Box(left - 1, bottom, 2, top - bottom))
    return bars


def _crowding(place: Box, taken: Sequence[Box], bars: Sequence[Box], frame: Box, index: int) -> float:
    outside = place.width * place.height - place.overlap(frame)
    return 20 * sum(map(place.overlap, taken)) + 4 * sum(map(place.overlap, bars)) + 50 * outside + index


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None, "Format": None, "Type": None}, dpi=72)
    return buffer.getvalue()


def _words(row: Row, probe: str, gained: Measure, forgotten: Measure, points: Sequence[Point]) -> str:
    """The panel for those who cannot see it."""
    across, up = (f"+.{1 if each.share else 3}f" for each in (gained, forgotten))
    told = (f"{p.label}: gain {p.x.value:{across}} {gained.unit}, forgetting {p.y.value:{up}} {forgotten.unit}" for p in points)
    return f"Gain against forgetting of {probe}, {row.first.model} on {row.first.task}. {'; '.join(told)}."


def _inline(svg: str, words: str, prefix: str) -> str:
    """What goes into HTML: no prologue, no metadata, no size of its own, ids that are unique on the page."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'( id="|url\(#|href="#)', rf"\g<1>{prefix}-", svg)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escape(words)}" ', 1)
