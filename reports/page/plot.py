"""Gain against forgetting as SVG: one panel per probe, a point per row, its 95 % intervals, its name beside it; or, of rows
that were watched on their way, their curves from the untouched base to the end. A dashed line joins what nothing beats in both.

The same rows give the same bytes. Names come from users: they are never read as mathematics, and matplotlib escapes them.
"""

import io
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from html import escape
from typing import Any

import matplotlib
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from bench.statistics.estimates import Estimate
from reports.rows import frontier
from reports.rows.frontier import Place
from reports.rows.numbers import Quantity, in_unit
from reports.rows.row import Row
from reports.rows.rows import grouped, probe_names

# Okabe & Ito 2008, told apart by colour-blind people; its yellow is too pale for a white panel.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#56B4E9", "#E69F00")
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "<", ">")
INCHES = (4.6, 3.6)
ACROSS = 2
"""Panels beside each other in a file, which then fits on a page of text."""
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


Look = tuple[str, str]
"""Colour and marker."""


@dataclass(frozen=True)
class Dot:
    """A row in a panel: gain and forgetting, each in points or in its own unit."""

    label: str
    colour: str
    marker: str
    x: Estimate
    y: Estimate
    path: Sequence[Place] = ()
    """The way to it, itself included."""


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


def panel(rows: Sequence[Row], probe: str, quantity: Quantity, prefix: str, curves: bool = False) -> str | None:
    """The panel of one probe for rows of one model and task; None if no row has both numbers, or a curve where these are asked.

    `prefix` keeps the SVG's ids apart from those of the page's other panels.
    """
    points = _points(rows, probe, quantity, _looks(rows), curves)
    if not points:
        return None
    gain = _gain(rows)
    with matplotlib.rc_context(STYLE):
        figure = Figure(figsize=INCHES, dpi=72, layout="constrained")
        axes = figure.add_subplot()
        _title(axes, probe, gain, quantity, curves)
        _draw(axes, points)
        FigureCanvasSVG(figure).draw()  # lays the axes out, which places in pixels depend on
        _label(axes, points)
        figure.set_layout_engine("none")
        return _inline(_svg(figure), _words(rows[0], probe, gain, quantity, points), prefix)


def curves(rows: Sequence[Row]) -> str | None:
    """All curves as one SVG file: a panel per model, task and probe, and one legend; None if no row has a curve."""
    looks = _looks(rows)
    panels = [
        (key, group, probe, quantity, points)
        for key, group in grouped(rows).items()
        for probe, quantity in probe_names(group).items()
        if (points := _points(group, probe, quantity, looks, curves=True))
    ]
    if not panels:
        return None
    several = len({key for key, *_ in panels}) > 1
    with matplotlib.rc_context(STYLE):
        across = min(len(panels), ACROSS)
        down = math.ceil(len(panels) / across)
        figure = Figure(figsize=(INCHES[0] * across, INCHES[1] * down + 0.4), dpi=72, layout="constrained")
        for place, ((suite, model, task), group, probe, quantity, points) in enumerate(panels, start=1):
            axes = figure.add_subplot(down, across, place)
            title = f"{suite}, {model} on {task}: {probe}" if several else probe
            _title(axes, title, _gain(group), quantity, curves=True)
            _draw(axes, points)
        _legend(figure)
        return _svg(figure)


def _legend(figure: Figure) -> None:
    """Each row once."""
    named: dict[str, Artist] = {}
    for axes in figure.axes:
        handles, labels = axes.get_legend_handles_labels()
        named |= dict(zip(labels, handles, strict=True))
    figure.legend(list(named.values()), list(named), loc="outside lower center", ncols=ACROSS, frameon=False)


def _title(axes: Axes, title: str, gain: Quantity, quantity: Quantity, curves: bool) -> None:
    where = " on validation" if curves else ""
    axes.set_title(title, loc="left", fontweight="bold", parse_math=False)
    axes.set_xlabel(f"gain{where}, {gain.unit} (right is better)", parse_math=False)
    axes.set_ylabel(f"forgetting, {quantity.unit} (down is better)", parse_math=False)


def _gain(rows: Sequence[Row]) -> Quantity:
    return next(row.quantity for row in rows if row.gain)


def _looks(rows: Sequence[Row]) -> dict[str, Look]:
    labels = sorted({row.label for row in rows if row.gain and row.forgetting})
    return {label: (COLOURS[n % len(COLOURS)], MARKERS[n % len(MARKERS)]) for n, label in enumerate(labels)}


def _points(rows: Sequence[Row], probe: str, quantity: Quantity, looks: Mapping[str, Look], curves: bool = False) -> list[Dot]:
    points = []
    for row in sorted(rows, key=lambda row: row.label):
        if row.gain is None or probe not in row.forgetting:
            continue
        x, y = _in_unit(row.gain, row.quantity), _in_unit(row.forgetting[probe].lost, quantity)
        point = Dot(row.label, *looks[row.label], x, y)
        path = frontier.curve_places(row, probe) if curves else []
        if path:
            point = _at_end(point, [(in_unit(gain, row.quantity), in_unit(lost, quantity)) for gain, lost in path])
        if math.isfinite(point.x.value) and math.isfinite(point.y.value) and bool(path) == curves:
            points.append(point)
    return points


def _at_end(point: Dot, path: Sequence[Place]) -> Dot:
    """The point where its curve ends; on the way there are values alone, without intervals."""
    x, y = (Estimate(value, None, None, "items", 1) for value in path[-1])
    return replace(point, x=x, y=y, path=path)


def _in_unit(estimate: Estimate, quantity: Quantity) -> Estimate:
    """Shares in points, all else as it is."""
    low, high = (None if end is None else in_unit(end, quantity) for end in (estimate.low, estimate.high))
    return Estimate(in_unit(estimate.value, quantity), low, high, estimate.basis, estimate.runs)


def _draw(axes: Axes, points: Sequence[Dot]) -> None:
    axes.axhline(0, color="#999999", linewidth=0.8, zorder=0)
    axes.axvline(0, color="#999999", linewidth=0.8, zorder=0)
    best = sorted((point.x.value, point.y.value) for point in _unbeaten(points))
    if frontier.unbeaten([frontier.BASE, *best])[:1] == [0]:
        best = sorted([frontier.BASE, *best])
    # Up at a point's gain, then on to the next: what lies above or left of the line is beaten.
    axes.plot(*zip(*best, strict=True), color="#777777", linestyle="--", linewidth=0.9, drawstyle="steps-pre", zorder=1)
    for point in points:
        if point.path:
            axes.plot(*zip(*point.path, strict=True), color=point.colour, linewidth=1.2, marker=".", markersize=5, alpha=0.7)
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
            linestyle="none",
            label=point.label,
        )
    axes.margins(0.12)


def _unbeaten(points: Sequence[Dot]) -> list[Dot]:
    return [points[index] for index in frontier.unbeaten([(point.x.value, point.y.value) for point in points])]


def _arms(estimate: Estimate) -> list[list[float]] | None:
    """Error bars as lengths below and above; a bootstrap interval need not hold its value, and lengths cannot be negative."""
    if estimate.low is None or estimate.high is None or not math.isfinite(estimate.low + estimate.high):
        return None
    return [[max(estimate.value - estimate.low, 0.0)], [max(estimate.high - estimate.value, 0.0)]]


def _label(axes: Axes, points: Sequence[Dot]) -> None:
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


def _bars(axes: Axes, point: Dot) -> list[Box]:
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


def _words(row: Row, probe: str, gained: Quantity, forgotten: Quantity, points: Sequence[Dot]) -> str:
    """The panel for those who cannot see it."""
    across, up = (f"+.{1 if each.share else 3}f" for each in (gained, forgotten))
    told = (f"{p.label}: gain {p.x.value:{across}} {gained.unit}, forgetting {p.y.value:{up}} {forgotten.unit}" for p in points)
    best = ", ".join(point.label for point in _unbeaten(points))
    where = "at the end of each curve, gain on validation; " if points[0].path else ""
    what = f"Gain against forgetting of {probe}, {row.setup.model} on {row.setup.task}"
    return f"{what} ({where}nothing beats in both: {best}). {'; '.join(told)}."


def _inline(svg: str, words: str, prefix: str) -> str:
    """What goes into HTML: no prologue, no metadata, no size of its own, ids that are unique on the page."""
    svg = svg[svg.index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>|<!--.*?-->", "", svg, flags=re.DOTALL)
    svg = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", svg, count=1)
    svg = re.sub(r'( id="|url\(#|href="#)', rf"\g<1>{prefix}-", svg)
    return svg.replace("<svg ", f'<svg role="img" aria-label="{escape(words)}" ', 1)
