"""The parts of a row: each of its numbers as the mean over its runs, with an interval over items, and over several seeds.

`items` are the runs' answers; without them the intervals are made of the records' own. `seeds` is what the seeds of
all rows of the table say of how far a seed moves a number.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from statistics import fmean
from typing import get_args

import numpy as np

from bench.metrics.rate import RATES
from bench.records.outcome import Elsewhere, Forgetting, Gain, Outcome, Pair, Point, Score
from bench.records.record import Cost, Record
from bench.statistics.comparison import holm
from bench.statistics.estimates import Bounds, Estimate, estimate, over_seeds_alone
from bench.statistics.intervals import Scale, Spread
from bench.statistics.power import smallest_shown
from reports.rows import answers, probe_definition
from reports.rows.answers import Answered
from reports.rows.numbers import Quantity, quantity_of
from reports.rows.run_items import RunItems
from reports.rows.spreads import SeedSpreads, run_trains

Items = Sequence[RunItems]
MEAN_COSTS = [name for name in Cost.model_fields if name != "peak_memory_per_process"]
"""Those that have a mean over runs; a list of what each process held has none."""


@dataclass(frozen=True)
class Forgotten:
    """A probe's means over seeds; `lost` is positive where something was lost. Somebody else's result may say no more."""

    quantity: Quantity
    before: float | None
    after: float | None
    lost: Estimate
    items: int | None
    rounding: Estimate | None = None
    """What rounding the base lost before training, the same for all seeds."""
    contaminated: int = 0
    others: Mapping[str, Pair] = field(default_factory=dict)
    accuracy_lost: Estimate | None = None
    """None where items have no right answer, or where a run did not take it down."""

    @property
    def smallest(self) -> float | None:
        """The smallest loss that these items, changing as they did, find four times out of five; None where nothing changed."""
        return smallest_shown(self.lost.low, self.lost.high, self.items) if self.items else None


@dataclass(frozen=True)
class OtherMetric:
    """One of the task's metrics that is not the score, or a rate: of malformed answers, or of those that could be found."""

    quantity: Quantity
    value: Estimate


@dataclass(frozen=True)
class Away:
    """Score and gain on another task that was trained on, or on the task's examples from another domain."""

    quantity: Quantity
    score: Estimate
    gain: Estimate
    over_best: Estimate | None
    """None in records that knew one base alone."""
    items: int


def mean_score(scores: Sequence[Score], answered: Answered | None, spread: Spread) -> Estimate:
    bounds = [_bounds_if_both(score.ci_low, score.ci_high) for score in scores]
    # The record's bounds don't say whether a share is one of right answers; `logit` keeps any share within 0 and 1.
    inside: Scale = "logit" if scores[0].share else "plain"
    after, scale = (answered.after, answered.scale) if answered else (None, inside)
    return estimate([score.value for score in scores], bounds, after, spread, scale)


def both_gains(
    parts: Sequence[Outcome] | Sequence[Elsewhere], answered: Sequence[Answered | None], spread: Spread, trained: bool
) -> tuple[Estimate | None, Estimate | None]:
    """Over the base in the row's own words, and in its best; None unless every run has one.

    `answered` are the answers, held against each of the two; `trained` says whether the row is no untouched model.
    """
    higher = parts[0].score.higher_is_better
    gains_by_base = ([part.gain for part in parts], [part.best_base.gain if part.best_base else None for part in parts])
    same, best = (
        _mean_gain(gains, higher, answer, spread, trained) for gains, answer in zip(gains_by_base, answered, strict=True)
    )
    return same, best


def _mean_gain(
    known: Sequence[Gain | None], higher: bool, answered: Answered | None, spread: Spread, trained: bool
) -> Estimate | None:
    gains = [gain for gain in known if gain is not None]
    if len(gains) < len(known):
        return None
    bounds = [_bounds_if_both(gain.ci_low, gain.ci_high) for gain in gains]
    differences = answered.difference(1.0 if higher else -1.0, trained) if answered else None
    return estimate([gain.value for gain in gains], bounds, differences, spread)


def _bounds_if_both(low: float | None, high: float | None) -> Bounds | None:
    return None if low is None or high is None else (low, high)


def other_metrics(outcomes: Sequence[Outcome], task: str, items: Items, seeds: SeedSpreads) -> dict[str, OtherMetric]:
    """All metrics that every run has, but for the score."""
    first = outcomes[0]
    names = [n for n in first.metrics if n != first.score.name and all(n in outcome.metrics for outcome in outcomes)]
    others = {}
    for name in names:
        scores = [outcome.metrics[name] for outcome in outcomes]
        answers_of = answers.rate_answers if name in RATES else answers.task_answers
        spread = seeds.of(partial(_metric_value, name))
        others[name] = OtherMetric(quantity_of(scores[0]), mean_score(scores, answers_of(items, task, name), spread))
    return others


def _metric_value(metric: str, outcome: Outcome) -> float | None:
    return outcome.metrics[metric].value if metric in outcome.metrics else None


def mean_elsewhere(outcomes: Sequence[Outcome], items: Items, seeds: SeedSpreads, trained: bool) -> dict[str, Away]:
    """What every run has of other tasks and domains, by name."""
    return {
        name: _mean_away([outcome.elsewhere[name] for outcome in outcomes], items, name, seeds, trained)
        for name in outcomes[0].elsewhere
        if all(name in outcome.elsewhere for outcome in outcomes)
    }


def _mean_away(parts: Sequence[Elsewhere], items: Items, name: str, seeds: SeedSpreads, trained: bool) -> Away:
    scores = [part.score for part in parts]
    answered = [answers.task_answers(items, name, scores[0].name, "elsewhere", base) for base in answers.BASES]
    spread = seeds.of(lambda outcome: outcome.elsewhere[name].score.value if name in outcome.elsewhere else None)
    # The base is one and the same for all seeds: they move the gain as far as the score.
    gain, over_best = both_gains(parts, answered, spread, trained)
    assert gain is not None  # each part has one
    return Away(quantity_of(scores[0]), mean_score(scores, answered[0], spread), gain, over_best, scores[0].n)


def mean_forgetting(runs: Sequence[Record], items: Items, seeds: SeedSpreads) -> dict[str, Forgotten]:
    """What every run has of probes, by name; what is more than chance is corrected for how many the row has (Holm)."""
    probes = [run.outcome.forgetting for run in runs if run.outcome]
    shared = [name for name in probes[0] if all(name in each for each in probes)]
    given_away = {name: max(run.trust.contamination.get(name, 0) for run in runs) for name in shared}
    forgetting_by_probe = {
        name: replace(
            _mean_forgotten([each[name] for each in probes], given_away[name], _mean_probe_loss(name, runs, items, seeds)),
            accuracy_lost=_mean_accuracy_lost(name, probes, items, seeds, run_trains(runs[0])),
        )
        for name in shared
    }
    judged = {name: each.lost.p for name, each in forgetting_by_probe.items() if each.lost.p is not None}
    corrected = dict(zip(judged, holm(np.array(list(judged.values()))).tolist(), strict=True))
    return {
        name: replace(each, lost=replace(each.lost, p=corrected.get(name, each.lost.p)))
        for name, each in forgetting_by_probe.items()
    }


def _mean_probe_loss(name: str, runs: Sequence[Record], items: Items, seeds: SeedSpreads) -> Estimate:
    probes = [run.outcome.forgetting[name] for run in runs if run.outcome]
    definition = probe_definition.probe_definition(runs[0], name)
    bounds = [_bounds_if_both(probe.ci_low, probe.ci_high) for probe in probes]
    # A distance from the base has no interval, and its answers are no reason for one.
    answered = answers.probe_answers(items, name, probes[0].value_name, definition) if None not in bounds else None
    differences = answered.difference(-1.0 if probes[0].higher_is_better else 1.0) if answered else None
    spread = seeds.of(lambda outcome: outcome.forgetting[name].delta if name in outcome.forgetting else None)
    return estimate([probe.delta for probe in probes], bounds, differences, spread)


def _mean_accuracy_lost(
    name: str, parts: Sequence[Mapping[str, Forgetting]], items: Items, seeds: SeedSpreads, trained: bool
) -> Estimate | None:
    lost = [part[name].accuracy_lost for part in parts]
    known = [each for each in lost if each is not None]
    if len(known) < len(lost):
        return None
    answered = answers.probe_accuracy(items, name)
    spread = seeds.of(lambda outcome: _accuracy_lost_value(outcome.forgetting.get(name)))
    bounds = [_bounds_if_both(each.ci_low, each.ci_high) for each in known]
    differences = answered.difference(-1.0, trained) if answered else None
    return estimate([each.value for each in known], bounds, differences, spread)


def _accuracy_lost_value(probe: Forgetting | None) -> float | None:
    return probe.accuracy_lost.value if probe and probe.accuracy_lost else None


def _mean_forgotten(probes: Sequence[Forgetting], contaminated: int, lost: Estimate) -> Forgotten:
    rounded = probes[0].quantisation
    return Forgotten(
        quantity_of(probes[0]),
        _mean_if_all_known([p.before for p in probes]),
        _mean_if_all_known([p.after for p in probes]),
        lost,
        items=probes[0].n,
        rounding=Estimate(rounded.value, rounded.ci_low, rounded.ci_high, "items", 1) if rounded else None,
        contaminated=contaminated,
        others=_mean_other_numbers(probes),
    )


def _mean_other_numbers(probes: Sequence[Forgetting]) -> dict[str, Pair]:
    shared = [name for name in probes[0].others if all(name in probe.others for probe in probes)]
    parts = {name: [probe.others[name] for probe in probes] for name in shared}
    return {
        name: Pair(before=fmean(p.before for p in pairs), after=fmean(p.after for p in pairs)) for name, pairs in parts.items()
    }


def mean_relative_forgetting(outcomes: Sequence[Outcome], seeds: SeedSpreads) -> Estimate | None:
    """FG in per cent, over other seeds on these items; None unless every run has it."""
    values = [outcome.relative_forgetting for outcome in outcomes if outcome.relative_forgetting is not None]
    if len(values) < len(outcomes):
        return None
    return over_seeds_alone(values, seeds.of(lambda outcome: outcome.relative_forgetting))


def mean_curve(outcomes: Sequence[Outcome]) -> list[Point]:
    """Means at the places at which every run was measured."""
    return [_mean_point(points) for points in common_places(outcomes)]


def common_places(outcomes: Sequence[Outcome]) -> list[tuple[Point, ...]]:
    """Each place at which every run was measured, as each run's point; their ends are one.

    A budget in tokens or seconds gives each seed another number of steps. Runs that were measured equally often were measured
    at the same shares of theirs. Of others it is the steps that they share, and their ends.
    """
    curves = [outcome.curve for outcome in outcomes]
    if not all(curves):
        return []
    if len({len(curve) for curve in curves}) == 1:
        return [*zip(*curves, strict=True)]
    paths = [{point.step: point for point in curve} for curve in curves]
    end = min(curve[-1].step for curve in curves)
    shared = [step for step in paths[0] if step < end and all(step in path for path in paths)]
    return [*(tuple(path[step] for path in paths) for step in shared), tuple(curve[-1] for curve in curves)]


def _mean_point(points: Sequence[Point]) -> Point:
    probes = [name for name in points[0].forgetting if all(name in point.forgetting for point in points)]
    return Point(
        step=round(fmean(point.step for point in points)),
        examples=round(fmean(point.examples for point in points)),
        score=fmean(point.score for point in points),
        gain=fmean(point.gain for point in points),
        forgetting={name: fmean(point.forgetting[name] for point in points) for name in probes},
    )


def _mean_if_all_known(values: Sequence[float | None]) -> float | None:
    """None where some run does not know it."""
    known = [value for value in values if value is not None]
    return fmean(known) if len(known) == len(values) else None


def mean_cost(costs: Sequence[Cost]) -> Cost | None:
    """Means; counts rounded. None is a mean that some run does not know."""
    if not costs:
        return None
    means = {name: _mean_if_all_known([getattr(cost, name) for cost in costs]) for name in MEAN_COSTS}
    whole = {name for name, field in Cost.model_fields.items() if int in get_args(field.annotation)}
    # A mean that is not known stays None, and is not rounded.
    return Cost.model_validate({name: round(mean) if name in whole and mean else mean for name, mean in means.items()})
