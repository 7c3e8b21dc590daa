"""Which hyper-parameters are tried next: a pure function of the search and of the trials before, whatever order they end in.

Optuna samples and prunes (Akiba et al. 2019). Its study is made anew from records each time, in memory, and asked for a batch
of trials at once. It is imported where it is needed, since that takes a second.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from itertools import product
from statistics import fmean
from typing import TYPE_CHECKING, Any, NamedTuple

from bench.specs.search import Choice, Dimension, Search

if TYPE_CHECKING:
    from optuna import Study as OptunaStudy
    from optuna.distributions import BaseDistribution

BATCH = 4
"""Trials that are asked for at once, so that the order in which they end changes nothing, and four workers have work."""
SAMPLER_SEED = 12
"""Of the samplers. All strategies have the same: where their spaces have one shape, they are tried at the same places of it, so
that none has the luckier draws. (With 0 the first four draws would all lie in the upper half.)"""
DIGITS = 3
"""Significant digits of a sampled number: what a person would write after `--set`."""
REDRAWS = 32
"""How often values are drawn that were tried already, before those are looked for that were not."""
MOST_VALUES = 10_000
"""Of a space that is gone through."""
WORST = float("-inf")


class EndedTrial(NamedTuple):
    """A trial that is over."""

    values: Mapping[str, Any]
    score: float
    """More is better; WORST where it failed."""
    rungs: Sequence[Sequence[float]]
    """Of each of its seeds: the scores on the way."""
    pruned: bool = False
    """With one seed at least, so that its score is that of a part of a training."""


def next_batch(search: Search, first: Mapping[str, Any], ended: Sequence[EndedTrial]) -> list[dict[str, Any]]:
    """The hyper-parameters of the next BATCH trials after all trials of whole batches; the very first is the default, `first`.

    Not the number of trials that are wanted: eight trials begin with the four that were made when four were asked for.
    """
    distributions = {name: _distribution(dimension) for name, dimension in search.space.items()}
    study = _study(search, len(ended) // BATCH)
    _add_trials(study, distributions, ended)
    batch = [] if ended else [dict(first)]
    while len(batch) < BATCH:
        tried = [each.values for each in ended] + batch
        batch.append(_untried(study, distributions, search.space, tried))
    return batch


def _untried(
    study: "OptunaStudy",
    distributions: "dict[str, BaseDistribution]",
    space: Mapping[str, Dimension],
    tried: Sequence[Mapping[str, Any]],
) -> dict[str, Any]:
    """Values that no earlier trial had, as far as the space holds any.

    A default that an earlier search has found is one of this sampler's own draws: drawn again, it would cost its strategy one
    of the trials that the others have.
    """
    for _ in range(REDRAWS):
        drawn = study.ask(distributions).params
        values = {name: _rounded_draw(value, space[name]) for name, value in drawn.items()}
        if values not in tried:
            return values
    return next((each for each in _all_values(space) or () if each not in tried), values)


def different_trials(search: Search) -> float:
    """How many trials can be made that are not the same: as many as a space of choices and whole numbers has values, of which
    the default is one; else there is no end to them."""
    values = _all_values(search.space)
    return math.inf if values is None else len(values)


def _all_values(space: Mapping[str, Dimension]) -> list[dict[str, Any]] | None:
    """All that a space holds, in its own order; None where that has no end, or is more than anybody tries."""
    by_dimension = [dimension.values for dimension in space.values()]
    counted = [values for values in by_dimension if values is not None]
    if len(counted) < len(by_dimension) or math.prod(map(len, counted)) > MOST_VALUES:
        return None
    return [dict(zip(space, values, strict=True)) for values in product(*counted)]


def pruner(search: Search, ended: Sequence[EndedTrial], seed: int) -> Callable[[Sequence[float]], bool] | None:
    """What prunes a trial's training with the seed of this place: None where nothing does.

    It is held against trials of earlier batches alone. Those of the first batch run to their end, and are looked at on the way.
    """
    if search.options.pruner == "none":
        return None
    if not ended:
        return lambda scores: False

    return partial(_is_pruned, tuple(tuple(each.rungs[seed]) for each in ended))


def _is_pruned(before: Sequence[Sequence[float]], scores: Sequence[float]) -> bool:
    """Whether a training with these scores so far is pruned, `before` being those of earlier batches."""
    import optuna

    _quiet_optuna()
    # Successive halving (Jamieson & Talwalkar 2016) as optuna has it: the better half goes on, to twice the steps.
    rule = optuna.pruners.SuccessiveHalvingPruner(min_resource=1, reduction_factor=2, min_early_stopping_rate=0)
    study = optuna.create_study(direction="maximize", pruner=rule)
    verdict = False
    # The pruner knows what its study was told, and this study is new: earlier trainings are gone through again.
    for curve in (*before, scores):
        trial, verdict = study.ask(), False
        for rung, score in enumerate(curve):
            # In the pruner's resources, which double from rung to rung.
            trial.report(score, 2**rung)
            verdict = trial.should_prune()
    return verdict


def _study(search: Search, batch: int) -> "OptunaStudy":
    import optuna

    _quiet_optuna()
    # By the same seed a study that is made anew would draw the first batch again.
    seed = SAMPLER_SEED + batch
    # TPE's liar keeps the trials of one batch, of which no score is known yet, from asking for one place.
    sampler: optuna.samplers.BaseSampler = (
        optuna.samplers.RandomSampler(seed)
        if search.options.sampler == "random"
        else optuna.samplers.TPESampler(seed=seed, n_startup_trials=BATCH, constant_liar=True)
    )
    return optuna.create_study(direction="maximize", sampler=sampler)


def _quiet_optuna() -> None:
    import optuna

    optuna.logging.set_verbosity(optuna.logging.WARNING)


def _add_trials(study: "OptunaStudy", distributions: "dict[str, BaseDistribution]", ended: Sequence[EndedTrial]) -> None:
    import optuna

    for each in ended:
        params = dict(each.values)
        if each.pruned:
            # TPE ranks it below each whole trial, and pruned ones among each other by how far they came and their score there.
            seeds = zip(*each.rungs, strict=False)  # as far as all seeds came
            on_the_way = {2**rung: fmean(scores) for rung, scores in enumerate(seeds)}
            state = optuna.trial.TrialState.PRUNED
            trial = optuna.create_trial(state=state, params=params, distributions=distributions, intermediate_values=on_the_way)
        else:
            # One that failed stands there with the worst score, so that the sampler does not look there again.
            trial = optuna.create_trial(params=params, distributions=distributions, value=each.score)
        study.add_trial(trial)


def _distribution(dimension: Dimension) -> "BaseDistribution":
    from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution

    if isinstance(dimension, Choice):
        return CategoricalDistribution(dimension.choice)
    if dimension.integer:
        return IntDistribution(int(dimension.low), int(dimension.high), log=dimension.log)
    return FloatDistribution(dimension.low, dimension.high, log=dimension.log)


def _rounded_draw(value: Any, dimension: Dimension) -> Any:
    if isinstance(dimension, Choice) or not isinstance(value, float):
        return value
    # Rounding may lead out of the range.
    return min(max(float(f"{value:.{DIGITS}g}"), dimension.low), dimension.high)
