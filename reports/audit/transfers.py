"""What mixing tasks did to each of them, once more: the mixture's answers against those of a run on the task alone.

Both are held to the items that both runs answered, seed by seed.
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas as pd

from bench.records import store
from bench.records.record import Record
from reports.audit import leaving_out
from reports.audit.intervals import Left, seed_variance
from reports.audit.leaving_out import LeftOut, SeedVariance, bounds
from reports.audit.outside import METRICS
from reports.audit.reading import Numbers, part
from reports.audit.recomputed import said_and_gold
from reports.audit.table import BOUNDS, ShownRow


def transfer_numbers(row: ShownRow, table: Sequence[Sequence[Left]], out: Path) -> Numbers:
    """What each task gained or lost in the row's mixture, and both ends of the interval."""
    numbers: Numbers = {}
    for task, alone in row.alone.items():
        seeds = {run.setup.seed: run for run in alone}
        risen = [_risen(run, seeds[run.setup.seed], task, out) for run in row.runs if run.setup.seed in seeds]
        pairs = [pair for pair in risen if pair]
        if not pairs or len(pairs) < len(alone) or ("transfers", task) in row.from_bounds:
            continue
        place = ("score",) if task == row.runs[0].setup.task else ("elsewhere", task, "score")
        one = seed_variance(place, table)
        # Either score moves with its own seed, as far as those of the table do.
        ends = bounds(pairs, SeedVariance(2 * one.variance, one.freedom))
        numbers["transfers", task, "value"] = sum(pair.value for pair in pairs) / len(pairs)
        numbers |= {("transfers", task, end): bound for end, bound in zip(BOUNDS, ends, strict=True)}
    return numbers


def _risen(mixed: Record, alone: Record, task: str, out: Path) -> LeftOut | None:
    """The mixture's score minus that of the run alone, on the items of both; None where they can't be scored again."""
    assert alone.outcome is not None
    name = alone.outcome.score.name
    mine, theirs = (dict(_answers(run, task, name, out)) for run in (mixed, alone))
    common = [item for item in mine if item in theirs]
    if not common or name not in METRICS:
        return None
    frame = pd.DataFrame([mine[item][2] for item in common])
    scores = [
        leaving_out.of_metric(frame, name, [said[item][0] for item in common], [mine[item][1] for item in common])
        for said in (mine, theirs)
    ]
    return scores[0].minus(scores[1], METRICS[name].sign) if scores[0] and scores[1] else None


def _answers(run: Record, task: str, metric: str, out: Path) -> Iterator[tuple[str, tuple[str, str, pd.Series]]]:
    """Of each item of the task: what was said, the gold value, and the item's row."""
    kind = "task" if run.setup.task == task else "elsewhere"
    answered = part(store.read_items(out, run), kind, task)
    known = said_and_gold(answered, metric, "prediction")
    if known:
        for item, said, gold, (_, row) in zip(answered["item"], *known, answered.iterrows(), strict=True):
            yield str(item), (said, gold, row)
