"""Tasks that one model was trained on one after another: means over a row's seeds, each with its interval.

Their intervals hold other seeds on the same test items. The row's own score, after the last stage, is among the scores here and
has an interval of its own over items too.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean

from bench.records.outcome import Outcome, Score, Stages
from bench.statistics.estimates import Estimate, over_seeds_alone
from bench.statistics.intervals import Scale
from reports.rows.spreads import SeedSpreads


@dataclass(frozen=True)
class StageMeans:
    """What a record's `stages` holds, as means over runs."""

    tasks: Sequence[str]
    base: Sequence[float]
    """The untouched model's scores, which no seed moves."""
    scores: Sequence[Sequence[Estimate]]
    backward_transfer: Estimate
    forward_transfer: Estimate
    forgetting: Estimate


def mean_stages(outcomes: Sequence[Outcome], seeds: SeedSpreads) -> StageMeans | None:
    """Means of the scores and of the three measures; None unless every run went through the same stages."""
    stages = [outcome.stages for outcome in outcomes if outcome.stages]
    same = [each for each in stages if each.tasks == stages[0].tasks]
    if len(same) < len(outcomes):
        return None
    tasks = same[0].tasks

    def mean(number: Callable[[Stages], float], scale: Scale = "plain") -> Estimate:
        # Rows of the table that went through other stages, or in another order, measured something else.
        spread = seeds.of(lambda other: number(other.stages) if other.stages and other.stages.tasks == tasks else None)
        return over_seeds_alone([number(each) for each in same], spread, scale)

    def score(stage: int, task: int) -> Estimate:
        return mean(lambda each: each.scores[stage][task], _scale_of(outcomes[0], tasks[task]))

    return StageMeans(
        tasks=tasks,
        base=list(map(fmean, zip(*(each.base for each in same), strict=True))),
        scores=[[score(stage, task) for task in range(len(tasks))] for stage in range(len(same[0].scores))],
        backward_transfer=mean(lambda each: each.backward_transfer),
        forward_transfer=mean(lambda each: each.forward_transfer),
        forgetting=mean(lambda each: each.forgetting),
    )


def _scale_of(outcome: Outcome, task: str) -> Scale:
    """Of the scores on a task: a share has bounds within 0 and 1; what is better where lower counts negated."""
    score: Score | None = outcome.elsewhere[task].score if task in outcome.elsewhere else None
    if outcome.stages and task == outcome.stages.tasks[-1]:
        score = outcome.score
    return "logit" if score and score.share and score.higher_is_better else "plain"
