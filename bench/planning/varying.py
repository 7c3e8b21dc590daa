"""`--vary`: runs in which the seed moves one part alone, the others at 0; that with all at 0 is done once for all parts.

A part that drew no random numbers there gives that very run at every seed: it is not varied.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bench.errors import UserError, unknown
from bench.records import store
from bench.records.outcome import SeedPart
from bench.records.record import SEED_PARTS, Record
from bench.runs.run import Run


def parts_named(names: Sequence[str]) -> list[SeedPart]:
    """The parts of these names, in their own order.

    Raises:
        UserError: there is no such part, or none is named.
    """
    if not names:
        raise UserError(f"--vary names no part of the seed; there are {', '.join(SEED_PARTS)}")
    if strange := [name for name in names if name not in SEED_PARTS]:
        raise unknown("part of the seed", strange[0], SEED_PARTS)
    return [part for part in SEED_PARTS if part in names]


def varied_runs(run: Run, parts: Sequence[SeedPart], seeds: int) -> list[Run]:
    """The run with all parts at 0, and for each of `parts` one at every other seed.

    Raises:
        UserError: so few seeds have no spread.
    """
    if seeds < 2:
        raise UserError(f"--vary needs at least two seeds to see a spread, and is given {seeds}; add --seeds 5")
    # Which part is named at seed 0 does not matter: all are at 0.
    return [replace(run, seed=0, varied=parts[0])] + [
        replace(run, seed=seed, varied=part) for part in parts for seed in range(1, seeds)
    ]


def unvaried_runs(runs: Sequence[Run]) -> list[Run]:
    """Those of `varied_runs` with all parts at 0."""
    return [run for run in runs if run.seeds.varied is None]


def that_differ(runs: Sequence[Run], out: Path) -> list[Run]:
    """`varied_runs` without those that would be the run with all parts at 0 over again, as far as its record tells."""
    records = {run.id: store.find_record(out, run.id) for run in unvaried_runs(runs)}
    return [run for run in runs if run.seeds.varied is None or _moves(run, records[replace(run, seed=0).id])]


def _moves(run: Run, first: Record | None) -> bool:
    # One that failed is done again, and may then say what draws.
    if first is None or first.status == "failed":
        return True
    return first.outcome is not None and run.varied in (first.outcome.drew or ())
