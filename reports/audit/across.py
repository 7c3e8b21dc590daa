"""Rows over several tasks, once more: the share of the way from the base to a perfect score, and mean places, in plain loops.

Which tasks and rows stand together is taken from the tables. Formulas: docs/method/scores.md.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from reports.audit.item_columns import Numbers
from reports.audit.others_metrics import METRICS

FAULTLESS = {"perplexity": 1.0, "bits_per_byte": 0.0}
"""Of what is no share: a text that is foretold for sure."""
REDRAWN = 2_000
TIED_AT = 12
"""Decimals: means of the same numbers in another order are a tie."""


@dataclass(frozen=True)
class TaskScores:
    """One task's: the score of each row's runs, and the untouched model's in its best words, as the rows know it."""

    metric: str
    rows: Mapping[str, Sequence[float]]
    bases: Sequence[float]

    def normalised(self, name: str) -> list[float]:
        """A row's scores as shares of the way from the best base to a perfect score."""
        metric = METRICS[self.metric]
        base = max(self.bases, key=lambda score: metric.sign * score)
        perfect = float(metric.higher_is_better) if metric.share else FAULTLESS[self.metric]
        return [(score - base) / (perfect - base) for score in self.rows[name]]


def over_tasks(tasks: Sequence[TaskScores]) -> Numbers:
    """Of each row the middle of its scores, its interval over seeds, its mean place, and the places that it may have."""
    names = list(tasks[0].rows)
    ways = {name: [task.normalised(name) for task in tasks] for name in names}
    place = {name: sum(_place_on_task(name, task, ways) for task in range(len(tasks))) / len(tasks) for name in names}
    apart = critical_of_places(len(names), len(tasks))
    numbers: Numbers = {("critical",): apart}
    for name in names:
        place_numbers = {"middle": middle_half(_scores_of_equal_weight(ways[name])), "rank": place[name]}
        place_numbers["best"] = 1.0 + sum(place[name] - place[other] > apart for other in names)
        place_numbers["worst"] = float(len(names) - sum(place[other] - place[name] > apart for other in names))
        if all(len(scores) > 1 for scores in ways[name]):
            place_numbers["ci_low"], place_numbers["ci_high"] = _redrawn_bounds(ways[name])
        numbers |= {("together", name, what): number for what, number in place_numbers.items()}
    return numbers


def middle_half(scores: Sequence[float]) -> float:
    """The mean without the lowest and the highest quarter, rounded to whole scores below (Agarwal et al. 2021)."""
    ranked, cut = sorted(scores), len(scores) // 4
    kept = ranked[cut : len(ranked) - cut]
    return math.fsum(kept) / len(kept)


def critical_of_places(rows: int, tasks: int) -> float:
    """Of mean places (Nemenyi; Demsar 2006); of two rows by a sign test's counts, where these ask for more."""
    from scipy.stats import studentized_range

    # Nemenyi's q is this quantile over the root of 2, and makes 12 of the 6 under the formula's root.
    normal = float(studentized_range.ppf(0.95, rows, math.inf)) * math.sqrt(rows * (rows + 1) / (12 * tasks))
    if rows > 2:
        return normal
    # Each side of the 2 ** tasks ways to win may hold a fortieth of them, beyond which the two differ.
    beyond = next(won for won in range(tasks + 1) if 40 * sum(math.comb(tasks, n) for n in range(won + 1)) >= 2**tasks)
    return max(normal, (tasks - 2 * beyond) / tasks)


def _scores_of_equal_weight(tasks: Sequence[Sequence[float]]) -> list[float]:
    """All scores, those of a task with fewer seeds the more often, and each four times, so that a quarter of them is whole."""
    common = 4 * math.lcm(*map(len, tasks))
    return [score for task in tasks for score in task for _ in range(common // len(task))]


def _redrawn_bounds(tasks: Sequence[Sequence[float]]) -> tuple[float, float]:
    """The percentile interval of the middle half, with each task's seeds redrawn; by the draws that the tables take."""
    import numpy as np

    generator = np.random.default_rng(0)
    drawn = [generator.integers(len(task), size=(REDRAWN, len(task))).tolist() for task in tasks]
    middles = [
        middle_half(
            _scores_of_equal_weight([[task[seed] for seed in seeds[draw]] for task, seeds in zip(tasks, drawn, strict=True)])
        )
        for draw in range(REDRAWN)
    ]
    low, high = np.quantile(middles, [0.025, 0.975])
    return float(low), float(high)


def _place_on_task(name: str, task: int, ways: Mapping[str, Sequence[Sequence[float]]]) -> float:
    """A row's place on one task, 1 the best; rows that are level share the mean of theirs."""
    means = {each: round(math.fsum(way[task]) / len(way[task]), TIED_AT) for each, way in ways.items()}
    above = sum(mean > means[name] for mean in means.values())
    level = sum(mean == means[name] for mean in means.values())
    return above + (level + 1) / 2
