"""Gain against forgetting as SVG: of rows that were watched on their way, their curves from the untouched base to the end, one
panel per probe. A dashed line joins what nothing beats in both.

The same rows give the same bytes. Names come from users: they are never read as mathematics, and matplotlib escapes them.
"""

import io
import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import matplotlib
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from reports.rows import frontier
from reports.rows.frontier import Place
from reports.rows.numbers import Quantity, in_unit
from reports.rows.one_base import on_one_base, one_base
from reports.rows.row import Row
from reports.rows.rows import grouped, probe_names
from reports.unseen_characters import visible

# Okabe & Ito 2008, told apart by colour-blind people; its yellow is too pale for a white panel.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#000000", "#56B4E9", "#E69F00")
MARKERS = ("o", "s", "D", "^", "v", "P", "X", "<", ">")
INCHES = (4.6, 3.6)
ACROSS = 2
"""Panels beside each other in a file, which then fits on a page of text."""
FONT = 9
NAME_LETTERS = 80
"""Of a name in a drawing."""
STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "tunebench",
    "text.parse_math": False,
    "font.family": "sans-serif",
    "font.size": FONT,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
SVG_METADATA: dict[str, Any] = {"Date": None, "Creator": None, "Format": None, "Type": None}
"""Left out, so that the same numbers give the same bytes."""
Look = tuple[str, str]
"""Colour and marker."""


@dataclass(frozen=True)
class Walk:
    """A row in a panel: gain and forgetting from the base to its end, each in points or in its own unit."""

    label: str
    colour: str
    marker: str
    path: Sequence[Place]


@contextmanager
def drawing(more: Any = MappingProxyType({})) -> Iterator[None]:
    """Matplotlib in this style, without its warnings: what it says of glyphs and room is not for whoever wants a report."""
    # Matplotlib's settings are its process's: whoever else draws has them back.
    with matplotlib.rc_context({**STYLE, **more}), warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=UserWarning, module="matplotlib|reports")
        yield


def curves(rows: Sequence[Row]) -> str | None:
    """All curves as one SVG file: a panel per model, task and probe, and one legend; None if no row has a curve."""
    # One legend serves all panels, so that a row looks the same in each.
    looks = _looks(rows)
    panels = [
        (key, group, probe, quantity, ways)
        for key, group in grouped(rows).items()
        for probe, quantity in probe_names(group).items()
        if (ways := _walks(on_one_base(group), probe, quantity, looks))
    ]
    if not panels:
        return None
    several = len({key for key, *_ in panels}) > 1
    with drawing():
        across = min(len(panels), ACROSS)
        down = math.ceil(len(panels) / across)
        # The legend below all panels has its own part of an inch.
        figure = Figure(figsize=(INCHES[0] * across, INCHES[1] * down + 0.4), dpi=72, layout="constrained")
        for place, ((suite, model, task), group, probe, quantity, ways) in enumerate(panels, start=1):
            axes = figure.add_subplot(down, across, place)
            title = f"{suite}, {model} on {task}: {probe}" if several else probe
            gain = f"gain{'' if one_base(group) else ' over best base'} on validation, {_gain_quantity(group).unit}"
            _draw_title(axes, title, gain, quantity)
            _draw_walks(axes, ways)
        _draw_rows_legend(figure)
        return _svg(figure)


def _draw_rows_legend(figure: Figure) -> None:
    """Each row once."""
    named: dict[str, Artist] = {}
    for axes in figure.axes:
        handles, labels = axes.get_legend_handles_labels()
        named |= dict(zip(labels, handles, strict=True))
    figure.legend(list(named.values()), list(map(short, named)), loc="outside lower center", ncols=ACROSS, frameon=False)


def _draw_title(axes: Axes, title: str, gain: str, quantity: Quantity) -> None:
    axes.set_title(short(title), loc="left", fontweight="bold", parse_math=False)
    axes.set_xlabel(f"{gain} (right is better)", parse_math=False)
    axes.set_ylabel(f"forgetting, {quantity.unit} (down is better)", parse_math=False)


def short(name: str) -> str:
    """As much of a name as a drawing has room for, in characters that are seen."""
    name = visible(name)
    return name if len(name) <= NAME_LETTERS else f"{name[: NAME_LETTERS - 1]}…"


def _gain_quantity(rows: Sequence[Row]) -> Quantity:
    return next(row.quantity for row in rows if row.gain)


def _looks(rows: Sequence[Row]) -> dict[str, Look]:
    # Sorted, so that a row keeps its colour whatever its score comes to be.
    labels = sorted({row.label for row in rows if row.gain and row.forgetting})
    return {label: (COLOURS[n % len(COLOURS)], MARKERS[n % len(MARKERS)]) for n, label in enumerate(labels)}


def _walks(rows: Sequence[Row], probe: str, quantity: Quantity, looks: Mapping[str, Look]) -> list[Walk]:
    """Of the rows that were watched. On the way there are values alone, without intervals."""
    ways = []
    for row in sorted(rows, key=lambda row: row.label):
        if row.gain is None or probe not in row.forgetting:
            continue
        path = [(in_unit(gain, row.quantity), in_unit(lost, quantity)) for gain, lost in frontier.curve_places(row, probe)]
        # A path without an end has no place for its mark.
        if path and math.isfinite(sum(path[-1])):
            ways.append(Walk(row.label, *looks[row.label], path))
    return ways


def _draw_walks(axes: Axes, ways: Sequence[Walk]) -> None:
    axes.axhline(0, color="#999999", linewidth=0.8, zorder=0)
    axes.axvline(0, color="#999999", linewidth=0.8, zorder=0)
    ends = [way.path[-1] for way in ways]
    best = sorted(ends[index] for index in frontier.unbeaten(ends))
    # The untouched base belongs to the frontier unless an end gains and loses nothing.
    if frontier.unbeaten([frontier.BASE, *best])[:1] == [0]:
        best = sorted([frontier.BASE, *best])
    # Up at a point's gain, then on to the next: what lies above or left of the line is beaten.
    axes.plot(*zip(*best, strict=True), color="#777777", linestyle="--", linewidth=0.9, drawstyle="steps-pre", zorder=1)
    for way in ways:
        axes.plot(*zip(*way.path, strict=True), color=way.colour, linewidth=1.2, marker=".", markersize=5, alpha=0.7)
        axes.plot(
            *way.path[-1],
            color=way.colour,
            marker=way.marker,
            markersize=7,
            markeredgecolor="white",
            markeredgewidth=0.6,
            alpha=0.9,
            linestyle="none",
            label=way.label,
        )
    axes.margins(0.12)


def _svg(figure: Figure) -> str:
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg", metadata=SVG_METADATA, dpi=72)
    return buffer.getvalue()
