"""What mixing tasks does to each of them: the mixture's score against that of a run on the task alone, on the same items.

The run alone may be of any suite; it has the same task (data, version, words), model, seed, budget, used precision and engine,
and seconds were spent on the same kind of device. All seeds are held against runs of one row: of several rows, one with as many
tuning trials is preferred, then the one with the nearest settings, and then the one with the most seeds. The budget is the
whole run's: alone, a task gets all of it.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import fmean
from typing import Any, NamedTuple

import pyarrow as pa

from bench.groups import groups_by
from bench.records.outcome import Outcome, Score
from bench.records.record import Record
from bench.statistics.estimates import Bounds, Estimate, estimate
from bench.statistics.intervals import Spread, of_one_model
from reports.rows import answers
from reports.rows.numbers import Quantity, quantity_of
from reports.rows.run_items import RunItems, with_columns
from reports.rows.spreads import NO_SEEDS, SeedSpreads, run_trains

ALONE = ("instruction", "full")
"""Strategies of a run alone; the first, which words the task as the mixture does, is preferred."""
SAME = ("engine", "model", "seed", "budget", "placement")
"""Inputs in which a run alone must agree; and in the precision that was used, since `auto` is not the same everywhere."""
CLOSE = ("batch", "max_length")
"""Inputs in which it should."""
Alone = Mapping[tuple[str, ...], Sequence[Record]]


@dataclass(frozen=True)
class Transfer:
    """A task in the mixture against the task alone: means over the seeds that have both. `rise` is positive where the mixture
    is better."""

    task: str
    quantity: Quantity
    together: float
    alone: float
    rise: Estimate
    items: int
    strategy: str
    suite: str
    """Those of the runs alone."""
    runs: Sequence[Record] = ()
    """The runs alone, one for each seed."""
    higher_is_better: bool = True

    def alone_as(self, suite: str, seeds: int) -> str:
        """Which runs alone: `instruction`, with the suite where it is another, and the seeds if some have no such run."""
        elsewhere = "" if self.suite == suite else f" of suite {self.suite}"
        return f"{self.strategy}{elsewhere}" + ("" if self.rise.runs == seeds else f", {self.rise.runs} of {seeds} seeds")


class MatchedSeed(NamedTuple):
    """One seed's numbers; `shared` has the items of both with the mixture's `prediction` and the `before` of the run alone."""

    alone_run: Record
    score: Score
    together: float
    alone: float
    rise: float
    bounds: Bounds | None
    items: int
    shared: RunItems | None


def mixed(record: Record) -> dict[str, Any]:
    """The tasks that a run mixes, its own first, by name, each with what determines it.

    None if it mixes nothing, or trained on earlier tasks: their part in a difference could not be told from the mixture's.
    """
    inputs = record.provenance.inputs
    others = [] if inputs.get("earlier") else inputs.get("others") or []
    return {record.setup.task: inputs.get("task"), **{task["name"]: task for task in others}} if others else {}


def between(
    runs: Sequence[Record], others_known: Sequence[Record], out: Path | None, seeds: SeedSpreads = NO_SEEDS
) -> list[Transfer]:
    """The transfer to each task that the runs of one row mix, where `others_known` has a run on that task alone.

    Without the per-item answers in `out`, scores over the same number of items are compared, without an interval; scores over
    different numbers of items are not compared.
    """
    transfers = []
    tasks = mixed(runs[0])
    # Nearly all rows mix nothing, and need no look through all records.
    alone = _runs_alone(others_known) if tasks else {}
    for task, shape in tasks.items():
        pairs = _matched_seeds(task, shape, runs, alone, out) if shape else []
        if pairs:
            seed_spread = seeds.of(partial(_score_on, task, task == runs[0].setup.task))
            # Either score moves with its own seed, as far as those of this table do.
            transfers.append(_mean_transfer(task, pairs, Spread(2 * seed_spread.variance, seed_spread.freedom)))
    return transfers


def _matched_seeds(task: str, shape: Any, runs: Sequence[Record], alone: Alone, out: Path | None) -> list[MatchedSeed]:
    for strategy in ALONE:
        singles = [(run, single) for run in runs for single in alone.get((strategy, *_agreement_key(run)), ())]
        rows = groups_by((pair for pair in singles if pair[1].provenance.inputs.get("task") == shape), _row_alone_key)
        by_seed = {key: _one_per_seed(pairs) for key, pairs in rows.items()}
        # Seeds held against unlike runs, or against two strategies, would be no mean of one thing.
        for key in sorted(by_seed, key=lambda key: (_distance(*by_seed[key][0]), -len(by_seed[key]), key)):
            matches = [match for run, single in by_seed[key] if (match := _seed_match(run, single, task, out))]
            if matches:
                return matches
    return []


def _row_alone_key(pair: tuple[Record, Record]) -> str:
    """What the runs alone of several seeds must have in common to be runs of one row."""
    _, single = pair
    return json.dumps([single.setup.suite, single.setup.tuning.trials, _compared_settings(single)], sort_keys=True)


def _one_per_seed(pairs: Sequence[tuple[Record, Record]]) -> list[tuple[Record, Record]]:
    of_seed = groups_by(pairs, lambda pair: pair[0].run_id)
    # Of runs that are equally near the same one is taken whatever their order.
    return [min(each, key=lambda pair: pair[1].run_id) for each in of_seed.values()]


def _runs_alone(known: Sequence[Record]) -> Alone:
    """The runs on one task each, by strategy and by what a mixture must agree in: of thousands it is held against these few."""
    return groups_by(filter(_trained_on_one_task, known), lambda run: (run.setup.strategy, *_agreement_key(run)))


def _trained_on_one_task(run: Record) -> bool:
    inputs = run.provenance.inputs
    return bool(run.status == "ok" and inputs) and run_trains(run) and not inputs.get("others") and not inputs.get("earlier")


def _agreement_key(run: Record) -> tuple[str, ...]:
    inputs = run.provenance.inputs
    return repr(run.provenance.device.get("precision")), *(repr(inputs.get(name)) for name in SAME)


def _score_on(task: str, own: bool, outcome: Outcome) -> float | None:
    part = outcome if own else outcome.elsewhere.get(task)
    return part.score.value if part else None


def _distance(run: Record, single: Record) -> tuple[bool, int]:
    """How far the settings of a run alone are from those of the mixture: the least is preferred."""
    mine, theirs = _compared_settings(run), _compared_settings(single)
    differing = sum(mine[name] != theirs[name] for name in mine.keys() & theirs.keys())
    return run.setup.tuning.trials != single.setup.tuning.trials, differing


def _compared_settings(record: Record) -> dict[str, Any]:
    inputs = record.provenance.inputs
    return {**record.setup.hyperparameters, **{name: inputs.get(name) for name in CLOSE}}


def _seed_match(run: Record, single: Record, task: str, out: Path | None) -> MatchedSeed | None:
    if run.outcome is None or single.outcome is None:
        return None
    own, away, single_score = task == run.setup.task, run.outcome.elsewhere, single.outcome.score
    score = run.outcome.score if own else away[task].score if task in away else None
    if score is None or score.name != single_score.name:
        return None
    sign = 1.0 if score.higher_is_better else -1.0
    shared = _items_of_both(run, single, "task" if own else "elsewhere", task, out) if out else None
    # Without a common item the two whole scores are of other items.
    if shared is not None and not len(shared.table):
        return None
    answered = answers.task_answers([shared], task, score.name) if shared is not None else None
    if answered is None:
        alone = single_score
        # Minus zero becomes zero.
        rise = sign * (score.value - alone.value) + 0.0
        return MatchedSeed(single, score, score.value, alone.value, rise, None, score.n, None) if score.n == alone.n else None
    (together,), (alone_value,) = answered.after.values.tolist(), answered.before.values.tolist()
    differences, items = answered.difference(sign), len(answered.after.clusters.codes)
    return MatchedSeed(
        single, score, together, alone_value, float(differences.values[0]), of_one_model(differences), items, shared
    )


def _items_of_both(run: Record, single: Record, kind: str, task: str, out: Path) -> RunItems | None:
    """The items that both runs answered; the mixture may have been asked the first ones alone. None if a run left no items."""
    asked, alone = RunItems.of_run(out, run), RunItems.of_run(out, single)
    if not len(asked.table) or not len(alone.table):
        return None
    mine, theirs = asked.part(kind, task), alone.part("task", task)
    # Of an item that stands there twice the first one. By their values: two files may have unlike types for them.
    places = {item: place for place, item in reversed([*enumerate(theirs["item"].to_pylist())])}
    found = pa.array([places.get(item) for item in mine["item"].to_pylist()], pa.int64())
    shared = mine.filter(found.is_valid())
    # In the columns of a run and its base, one function makes the paired difference of both.
    before, kinds = theirs["prediction"].take(found.drop_null()), pa.repeat("task", len(shared))
    return RunItems(with_columns(shared, kind=kinds, before=before))


def _mean_transfer(task: str, pairs: Sequence[MatchedSeed], spread: Spread) -> Transfer:
    shared = [pair.shared for pair in pairs if pair.shared is not None]
    first = pairs[0]
    # The answers of some seeds alone would make an interval around another mean.
    answered = answers.task_answers(shared, task, first.score.name) if len(shared) == len(pairs) else None
    differences = answered.difference(1.0 if first.score.higher_is_better else -1.0) if answered else None
    return Transfer(
        task,
        quantity_of(first.score),
        fmean(pair.together for pair in pairs),
        fmean(pair.alone for pair in pairs),
        estimate([pair.rise for pair in pairs], [pair.bounds for pair in pairs], differences, spread),
        first.items,
        first.alone_run.setup.strategy,
        first.alone_run.setup.suite,
        [pair.alone_run for pair in pairs],
        first.score.higher_is_better,
    )
