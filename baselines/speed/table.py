"""What `make perf` measured, as tables in Markdown."""

import platform
import statistics
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

from bench.devices.hardware import cores, cpu_name
from bench.folders import write_text

BEGIN, END = "<!-- make perf: begin -->", "<!-- make perf: end -->"
"""Between the two a page's tables stand."""
PACKAGES = ("torch", "transformers", "accelerate", "peft", "trl", "lm-eval", "bitsandbytes")
SIDE = 2048
"""Of the square matrices whose product is the peak."""
PARTS = ("load", "encode", "train", "answer", "probe", "write", "other")


@dataclass(frozen=True)
class Line:
    """A thing to do, and who does it; the first is held against the others."""

    name: str
    work: str
    """Which file of examples or questions."""
    strategy: str
    """By which the useful FLOPs of a training are counted; none for questions."""
    contenders: Mapping[str, str]
    """Name -> script of baselines/speed/ and its words after the file."""


@dataclass(frozen=True)
class Found:
    """What one process has come to."""

    seconds: Sequence[float]
    """Of each pass."""
    peak_bytes: int
    right: float | None = None
    parts: Mapping[str, float] | None = None


Done = Mapping[tuple[str, str], Found]
"""A round: (file, command) -> what came of it."""


def page(
    lines: Sequence[Line],
    runs: Sequence[tuple[str, str]],
    works: Mapping[str, Any],
    rounds: Sequence[Done],
    command: str = "make perf",
) -> str:
    """All tables, with the machine and the command that made them."""
    peaks = [done["peak", ""] for done in rounds]
    rate = statistics.median(2 * SIDE**3 / peak.seconds[0] for peak in peaks)
    rows = [
        "| what | by | seconds | first row is so many times as fast | share of the peak | memory, GB | right |",
        "|---|---|---:|---|---:|---:|---:|",
    ]
    for line in lines:
        work = works[line.work]
        flops = work["flops"][line.strategy] if line.strategy else work["flops"]
        most = max(len(rounds[0][line.work, command].seconds) for command in line.contenders.values())
        for name, chosen in {"": slice(None)}.items() if most == 1 else _PASSES.items():
            rows += _rows(f"{line.name}{name}", line, flops / rate, chosen, rounds)
    return "\n".join([_machine(rate, len(rounds), command), "", *rows, *_parts(runs, rounds)]) + "\n"


_PASSES = {", first pass": slice(1), ", later passes": slice(1, None)}


def _rows(name: str, line: Line, least: float, chosen: slice, rounds: Sequence[Done]) -> Iterable[str]:
    """A row for each contender. `least`: seconds at the machine's peak."""
    # A contender that made one pass has no later one, which a first pass, with all that is loaded for it, would not tell.
    making = {by: command for by, command in line.contenders.items() if rounds[0][line.work, command].seconds[chosen]}
    taken: dict[str, list[float]] = {
        by: [statistics.fmean(done[line.work, command].seconds[chosen]) for done in rounds] for by, command in making.items()
    }
    first = next(iter(taken.values()))
    for by, command in making.items():
        found = [done[line.work, command] for done in rounds]
        ratios = [other / mine for other, mine in zip(taken[by], first, strict=True)]
        ratio = "" if taken[by] is first else _spread(ratios)
        memory = statistics.median(each.peak_bytes for each in found) / 1e9
        right = "" if found[0].right is None else f"{found[0].right:.4f}"
        seconds = statistics.median(taken[by])
        # What another strategy would have to do at least is not what this line's would.
        share = "" if by == "tunebench, all weights" else f"{least / seconds:.0%}"
        yield f"| {name if taken[by] is first else ''} | {by} | {seconds:.2f} | {ratio} | {share} | {memory:.2f} | {right} |"


def _spread(ratios: Sequence[float]) -> str:
    return f"{statistics.median(ratios):.2f} [{min(ratios):.2f}, {max(ratios):.2f}]"


def _parts(runs: Sequence[tuple[str, str]], rounds: Sequence[Done]) -> Iterable[str]:
    if not runs:
        return
    yield from ("", f"| a whole run | seconds | {' | '.join(PARTS)} |", f"|---|---:|{'---:|' * len(PARTS)}")
    for work, command in runs:
        found = rounds[0][work, command]
        shares = [(found.parts or {}).get(part, 0.0) / found.seconds[0] for part in PARTS]
        yield f"| {work}, all weights | {found.seconds[0]:.1f} | {' | '.join(f'{share:.0%}' for share in shares)} |"


def _machine(rate: float, rounds: int, command: str) -> str:
    packages = ", ".join(f"{name} {version(name)}" for name in PACKAGES)
    memory = psutil.virtual_memory().total / 1e9
    return (
        f"`{command}`, {datetime.now(UTC):%Y-%m-%d}: {cores()} cores of {cpu_name()}, {memory:.0f} GB, "
        f"Python {platform.python_version()}, {packages}. Its products of fp32 matrices come to {rate / 1e9:.0f} GFLOP/s, "
        f"measured in the same run. Medians of {rounds} round{'s' if rounds > 1 else ''}; in brackets the least and the most."
    )


def put(path: Path, text: str) -> None:
    """Put the tables into a page, in place of those that stand there.

    Raises:
        ValueError: the page has no place for them.
    """
    before, _, rest = path.read_text(encoding="utf-8").partition(BEGIN)
    _, end, after = rest.partition(END)
    if not end:
        raise ValueError(f"{path} has no place for the tables: {BEGIN} and {END}")
    write_text(path, f"{before}{BEGIN}\n{text}{END}{after}")
