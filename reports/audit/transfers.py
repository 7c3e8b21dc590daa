"""What mixing tasks did to each of them, once more: the mixture's answers against those of a run on the task alone.

Both are held to the items that both runs answered, seed by seed. Which run alone a mixture is held against is taken from the
tables.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from bench.records import store
from bench.records.record import Record
from reports.audit import leaving_out
from reports.audit.intervals import Left, SeededTable, seed_variance
from reports.audit.item_columns import Numbers, part
from reports.audit.leaving_out import LeftOut, SeedVariance, bounds, own_variance
from reports.audit.others_metrics import METRICS, OF_TRAINING
from reports.audit.ranks import Rival, p_of_row
from reports.audit.recomputed import predictions_and_gold
from reports.audit.table import BOUNDS, SEED_DEVIATION, ShownRow


def transfer_numbers(row: ShownRow, table: SeededTable[Left], out: Path) -> Numbers:
    """What each task gained or lost in the row's mixture, and both ends of the interval."""
    numbers: Numbers = {}
    for task, alone in row.alone.items():
        seeds = {run.setup.seed: run for run in alone}
        by_seed = [_held_together(run, seeds[run.setup.seed], task, out) for run in row.runs if run.setup.seed in seeds]
        pairs = [pair for pair in by_seed if pair]
        if not pairs or len(pairs) < len(alone) or ("transfers", task) in row.from_bounds:
            continue
        place = ("score",) if task == row.runs[0].setup.task else ("elsewhere", task, "score")
        one = seed_variance(place, table)
        # Either score moves with its own seed, as far as those of the table do.
        rival = Rival([pair.risen for pair in pairs], SeedVariance(2 * one.variance, one.freedom), None)
        rise_numbers = {"value": rival.value, "p": p_of_row(rival), "items": float(pairs[0].items)}
        rise_numbers |= {side: sum(getattr(pair, side).value for pair in pairs) / len(pairs) for side in ("together", "alone")}
        rise_numbers |= dict(zip(BOUNDS, bounds(rival.runs, rival.seeds), strict=True))
        if len(pairs) > 1:
            rise_numbers[SEED_DEVIATION] = math.sqrt(own_variance(rival.runs))
        numbers |= {("transfers", task, name): number for name, number in rise_numbers.items()}
    return numbers


@dataclass(frozen=True)
class HeldTogether:
    """One seed's scores on the items of both runs."""

    together: LeftOut
    alone: LeftOut
    risen: LeftOut
    items: int


def _held_together(mixed: Record, alone: Record, task: str, out: Path) -> HeldTogether | None:
    """None where they can't be scored again: entities that training knew are others in either run."""
    assert alone.outcome is not None
    name = alone.outcome.score.name
    mine, theirs = (dict(_answers_by_item(run, task, name, out)) for run in (mixed, alone))
    common = [item for item in mine if item in theirs]
    if not common or name not in METRICS or name in OF_TRAINING:
        return None
    frame = pd.DataFrame([mine[item][2] for item in common])
    scores = [
        leaving_out.of_metric(frame, name, [said[item][0] for item in common], [mine[item][1] for item in common])
        for said in (mine, theirs)
    ]
    if not scores[0] or not scores[1]:
        return None
    return HeldTogether(scores[0], scores[1], scores[0].minus(scores[1], METRICS[name].sign), len(common))


def _answers_by_item(run: Record, task: str, metric: str, out: Path) -> Iterator[tuple[str, tuple[str, str, pd.Series]]]:
    """Of each item of the task: what was said, the gold value, and the item's row."""
    kind = "task" if run.setup.task == task else "elsewhere"
    answered = part(store.read_items(out, run), kind, task)
    known = predictions_and_gold(answered, metric, "prediction")
    if known:
        for item, said, gold, (_, row) in zip(answered["item"], *known, answered.iterrows(), strict=True):
            yield str(item), (said, gold, row)
