"""Several tasks together: the interquartile mean with its stratified bootstrap, and average ranks.

Agarwal et al. 2021, Deep Reinforcement Learning at the Edge of the Statistical Precipice; Demsar 2006, Statistical Comparisons
of Classifiers over Multiple Data Sets, with Nemenyi's critical difference.
"""

import math
from collections.abc import Sequence

import numpy as np
from scipy.stats import binom, rankdata, studentized_range, trim_mean

from bench.statistics.arrays import Floats
from bench.statistics.intervals import CONFIDENCE

RESAMPLES = 2_000


def interquartile_mean(tasks: Sequence[Floats]) -> float:
    """The mean of the middle half of all scores, (seeds,) of each task: one task that is far off moves it little. A task with
    more seeds than another counts no more.

    A quarter is left out at each end to the fraction of a score. rliable leaves out whole scores, as many as there are in a
    quarter, which is the same for multiples of four. Of other numbers a row's mean would hang on how many seeds it has.
    """
    return float(trim_mean(np.concatenate(_equally_many_scores(tasks)), 0.25))


def _equally_many_scores(tasks: Sequence[Floats]) -> list[Floats]:
    """As many scores of each task, (..., seeds), every one of them as often as the others of its task, and all together a
    multiple of four."""
    common = 4 * math.lcm(*(np.shape(task)[-1] for task in tasks))
    return [np.repeat(task, common // np.shape(task)[-1], axis=-1) for task in tasks]


def stratified_bounds(tasks: Sequence[Floats]) -> tuple[float, float] | None:
    """The 95 % percentile interval over seeds, which are redrawn within each task; the tasks stay. None with one seed.

    Of S seeds it keeps (S - 1) / S of their variance: it is too narrow with few.
    """
    # A task of one seed would be redrawn as it is, and say that its seeds move nothing.
    if min(len(task) for task in tasks) < 2:
        return None
    # The same records give the same interval each time.
    generator = np.random.default_rng(0)
    drawn = [task[generator.integers(len(task), size=(RESAMPLES, len(task)))] for task in map(np.asarray, tasks)]
    low, high = np.quantile(
        trim_mean(np.concatenate(_equally_many_scores(drawn), axis=1), 0.25, axis=1),
        [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2],
    )
    return float(low), float(high)


def average_ranks(scores: Floats) -> Floats:
    """Of scores, (rows, tasks), of which higher is better: each row's mean place, ties sharing theirs."""
    # Means of the same seeds' scores in another order differ in their last bit, and are a tie.
    return np.asarray(rankdata(-np.round(np.asarray(scores, np.float64), 12), axis=0).mean(-1), dtype=np.float64)


def critical_difference(rows: int, tasks: int) -> float:
    """Nemenyi's: average ranks that are farther apart differ, in 95 of 100 such tables of equal rows none does.

    It takes ranks for normal. Of two rows with few tasks they are not, and the exact distribution (a sign test) may ask for
    more.
    """
    # Endless degrees of freedom, because the variance of ranks is known and not estimated.
    quantile = float(studentized_range.ppf(CONFIDENCE, rows, np.inf)) / np.sqrt(2)
    nemenyi = float(quantile * np.sqrt(rows * (rows + 1) / (6 * tasks)))
    return max(nemenyi, _farthest_by_chance(tasks)) if rows == 2 else nemenyi


def _farthest_by_chance(tasks: int) -> float:
    """The least distance of two equal rows' average ranks that at most 5 of 100 tables go beyond: (tasks - 2 w) / tasks where
    one row is ahead on w of them."""
    lost = int(binom.ppf((1 - CONFIDENCE) / 2, tasks, 0.5))  # the fewest with P(W <= lost) of half of it or more
    return (tasks - 2 * lost) / tasks
