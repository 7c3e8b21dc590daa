"""What a search has come to: all trials, the one that is chosen, and how good the best of k of them can be expected to be."""

from collections.abc import Sequence
from statistics import fmean
from typing import Any, Literal

from bench.planning.next_trials import BATCH, WORST, EndedTrial
from bench.records.record import BestAfter, Spent, TrialSummary, Tuning
from bench.records.trial import TrialRecord
from bench.specs.search import Search
from bench.statistics.expected_best import BestOf, best_of

Tried = tuple[dict[str, Any], list[TrialRecord]]
"""A trial's hyper-parameters, and the records of its trainings in the order of their seeds."""


def ended_trial(tried: Tried) -> EndedTrial:
    """The trial as the sampler hears of it: by its mean over seeds, which is the worst where one of them failed."""
    values, records = tried
    worths = [WORST if record.status == "failed" or record.worth is None else record.worth for record in records]
    rungs = [[rung.score for rung in record.rungs] for record in records]
    return EndedTrial(values, fmean(worths), rungs, _status(records) == "pruned")


def summed_up(search: Search, tried: Sequence[Tried], metric: str) -> Tuning:
    """The record of a search that is over. Of trials with equal scores the earlier is chosen; a pruned one never is."""
    # All are of one metric; those that failed say nothing of it.
    higher = all(record.score.higher_is_better for _, records in tried for record in records if record.score)
    sign = 1.0 if higher else -1.0
    trial_scores, summaries = [ended_trial(each).score for each in tried], [_summary(each, sign) for each in tried]
    fit = [number for number, summary in enumerate(summaries) if summary.status == "ok"]
    # What TPE asks for depends on what it was told: these are no independent draws, of which alone the estimate speaks. Nor are
    # they where all values of a space were tried, each once. A pruned trial's score is not that of a whole one.
    exhausted = len(tried) < search.options.trials
    pruned = any(summary.status == "pruned" for summary in summaries)
    drawn = search.options.sampler == "random" and not exhausted and not pruned
    curve = best_of(trial_scores[0], trial_scores[1:]) if drawn else []
    return Tuning(
        # A space of a few values may have fewer trials than were asked for.
        **search.options.model_dump() | {"trials": len(tried)},
        batch=BATCH,
        items=search.items,
        metric=metric,
        higher_is_better=higher,
        tried=summaries,
        chosen=max(fit, key=trial_scores.__getitem__) if fit else None,
        expected_best=[_best_after(each, sign) for each in curve],
    )


def _best_after(best: BestOf, sign: float) -> BestAfter:
    """With the metric's own sign: where less is better, the interval's ends change places."""
    low, high = (None if end is None else sign * end for end in (best.low, best.high)[:: int(sign)])
    return BestAfter(trials=best.trials, expected=sign * best.expected, low=low, high=high)


def _summary(tried: Tried, sign: float) -> TrialSummary:
    values, records = tried
    score = ended_trial(tried).score
    return TrialSummary(
        ids=[record.trial_id for record in records],
        hyperparameters=values,
        status=_status(records),
        reason=next((record.reason for record in records if record.reason), None),
        score=None if score == WORST else sign * score,
        spent=_spent_on_trial(records),
        overran=any(record.spending is not None and bool(record.spending.passed) for record in records),
        beyond_budget=any(record.beyond_budget for record in records),
    )


def _status(records: Sequence[TrialRecord]) -> Literal["ok", "pruned", "failed"]:
    states = {record.status for record in records}
    return "failed" if "failed" in states else "pruned" if "pruned" in states else "ok"


def _spent_on_trial(records: Sequence[TrialRecord]) -> Spent | None:
    costs = [record.cost for record in records if record.cost]
    # The sum over some of the seeds would look like what all of them took.
    if len(costs) < len(records):
        return None
    return Spent(
        examples=sum(cost.train_examples for cost in costs),
        tokens=sum(cost.train_tokens for cost in costs),
        flops=sum(cost.train_flops for cost in costs),
        seconds=sum(cost.train_seconds for cost in costs),
        asking_seconds=_sum_of_known([cost.eval_seconds for cost in costs]),
        money=_sum_of_known([cost.money for cost in costs]),
    )


def _sum_of_known(values: Sequence[float | None]) -> float | None:
    """None where one of them is not known."""
    return None if None in values else sum(value for value in values if value is not None)
