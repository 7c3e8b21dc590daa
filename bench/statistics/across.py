"""Several tasks together: the interquartile mean with its stratified bootstrap, and average ranks.

Agarwal et al. 2021, Deep Reinforcement Learning at the Edge of the Statistical Precipice; Demsar 2006, Statistical Comparisons
of Classifiers over Multiple Data Sets, with Nemenyi's critical difference.
"""

from collections.abc import Sequence

import numpy as np

from bench.statistics.arrays import Floats
from bench.statistics.intervals import CONFIDENCE

RESAMPLES = 2_000


def interquartile_mean(tasks: Sequence[Floats]) -> float:
    """The mean of the middle half of all scores, (seeds,) of each task: one task that is far off moves it little. A task with
    more seeds than another counts no more.

    A quarter is left out at each end to the fraction of a score. rliable leaves out whole scores, as many as there are in a
    quarter, which is the same for multiples of four. Of other numbers a row's mean would hang on how many seeds it has.
    """
    return float(_middle_half([np.asarray(task, dtype=np.float64) for task in tasks]))


def _middle_half(tasks: Sequence[Floats]) -> Floats:
    """Of scores, (..., seeds) of each task: the mean, (...), of what lies between a quarter and three quarters of their weight.
    Each task weighs as much, and so does each score of one task."""
    scores = np.concatenate(tasks, axis=-1)
    weights = np.concatenate([np.full(task.shape[-1], 1 / task.shape[-1] / len(tasks)) for task in tasks])
    order = np.argsort(scores, axis=-1)
    ends = np.cumsum(weights[order], axis=-1)
    # Of each score the part of its weight that lies in the middle half.
    inside = np.clip(ends, 0.25, 0.75) - np.clip(ends - weights[order], 0.25, 0.75)
    return np.asarray((np.take_along_axis(scores, order, -1) * inside).sum(-1) / inside.sum(-1))


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
    low, high = np.quantile(_middle_half(drawn), [(1 - CONFIDENCE) / 2, (1 + CONFIDENCE) / 2])
    return float(low), float(high)


def average_ranks(scores: Floats) -> Floats:
    """Of scores, (rows, tasks), of which higher is better: each row's mean place, ties sharing theirs."""
    from scipy.stats import rankdata  # half a second that only several tasks need

    # Means of the same seeds' scores in another order differ in their last bit, and are a tie.
    return np.asarray(rankdata(-np.round(np.asarray(scores, np.float64), 12), axis=0).mean(-1), dtype=np.float64)


def critical_difference(rows: int, tasks: int) -> float:
    """Nemenyi's: average ranks that are farther apart differ, in 95 of 100 such tables of equal rows none does.

    It takes ranks for normal. Of two rows with few tasks they are not, and the exact distribution (a sign test) may ask for
    more.
    """
    return max(_nemenyi(rows, tasks), _farthest_by_chance(tasks)) if rows == 2 else _nemenyi(rows, tasks)


def by_sign_test(rows: int, tasks: int) -> bool:
    """Whether it is the sign test's distance, and not Nemenyi's."""
    return critical_difference(rows, tasks) > _nemenyi(rows, tasks)


def _nemenyi(rows: int, tasks: int) -> float:
    from scipy.stats import studentized_range  # as above

    # Endless degrees of freedom, because the variance of ranks is known and not estimated.
    quantile = float(studentized_range.ppf(CONFIDENCE, rows, np.inf)) / np.sqrt(2)
    return float(quantile * np.sqrt(rows * (rows + 1) / (6 * tasks)))


def _farthest_by_chance(tasks: int) -> float:
    """The least distance of two equal rows' average ranks that at most 5 of 100 tables go beyond: (tasks - 2 w) / tasks where
    one row is ahead on w of them."""
    from scipy.stats import binom  # as above

    lost = int(binom.ppf((1 - CONFIDENCE) / 2, tasks, 0.5))  # the fewest with P(W <= lost) of half of it or more
    return (tasks - 2 * lost) / tasks
