"""What the runs and trials of a plan cost together: seconds of training and asking, device-hours, and what an API takes."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from bench.groups import groups_by
from bench.planning.asking_cost import Asking, base_asking, tests, validation
from bench.planning.estimate import CostEstimate, cost_key, estimate_cost
from bench.running.trial import Trial
from bench.runs.run import Run
from bench.runs.seed_rows import firsts_of_rows
from bench.strategies import with_values


@dataclass(frozen=True)
class Totals:
    """Of what is still to be done; seconds on one device of this machine."""

    training: float
    tests: float
    probes: float
    bases: float
    """Of the untouched models, each thing once, as though none of their answers were kept yet."""
    tuning: float = 0.0

    @property
    def seconds(self) -> float:
        """All of it."""
        return self.training + self.tests + self.probes + self.bases + self.tuning

    @property
    def hours(self) -> float:
        return self.seconds / 3600


def totals(todo: Sequence[tuple[Run, CostEstimate]], tuning: tuple[float, float] | None, rate: float) -> Totals | None:
    """Seconds at so many FLOP/s; None where a model's tokenizer, without which nothing is counted, is not on this machine.

    Args:
        tuning: as `tuning_seconds` gives it.
    """
    if tuning is None or any(cost.operations is None for _, cost in todo):
        return None
    costs = [cost for _, cost in todo]
    return Totals(
        training=sum(cost.operations or 0 for cost in costs) / rate,
        # What a row that neither trains nor shows examples is asked, its base is asked: it stands there.
        tests=sum(cost.answering for run, cost in todo if run.strategy.trains or run.wording.shots) / rate,
        probes=sum(cost.probing for cost in costs) / rate,
        bases=_bases(todo) / rate,
        tuning=sum(tuning),
    )


def _bases(todo: Sequence[tuple[Run, CostEstimate]]) -> float:
    """FLOPs of asking each base all that its runs are held against."""
    flops = 0.0
    for pairs in groups_by(todo, lambda pair: pair[0].model.name).values():
        # An adapter or a head belongs to no base; a run that is skipped is planned without parameters.
        parameters = min(filter(None, (cost.memory.parameters for _, cost in pairs)), default=0)
        # The seeds of a strategy hold their base against the same.
        unlike = groups_by(firsts_of_rows(run for run, _ in pairs), cost_key).values()
        flops += 2 * parameters * base_asking([runs[0] for runs in unlike]).tokens
    return flops


def tuning_seconds(trials: Sequence[Trial], rate: float) -> tuple[float, float] | None:
    """Of training the trials that are still to be done, and of asking them their validation items, if none is pruned; None
    where that can't be told."""
    training = asking = 0.0
    for alike in groups_by(trials, lambda trial: (cost_key(trial.run), trial.items, bool(trial.rule))).values():
        trial, cost = alike[0], estimate_cost(alike[0].run, rate)
        if cost.operations is None:
            return None
        training += cost.operations * len(alike)
        tokens = validation(trial.run, trial.items).tokens * trial.scored(cost.steps)
        asking += 2 * cost.memory.parameters * tokens * len(alike)
    return training / rate, asking / rate


def plan_sentences(todo: Sequence[tuple[Run, CostEstimate]], trials: Sequence[Trial], rate: float) -> Iterator[str]:
    """In sentences."""
    # How long an API takes is not this machine's to say.
    here = [trial for trial in trials if trial.run.model.needs_device]
    tuning = tuning_seconds(here, rate)
    if trials:
        named = ", ".join(f"{name} {count}" for name, count in Counter(trial.run.strategy.name for trial in trials).items())
        seconds = ", about {:.0f} s of training and {:.0f} s of validation".format(*tuning) if here and tuning else ""
        what = "trainings of trials" if len({trial.run.seed for trial in trials}) > 1 else "trials"
        yield f"tuning before that: {len(trials)} {what} to do ({named}){seconds}"
    local = [(run, cost) for run, cost in todo if run.model.needs_device]
    if local and (total := totals(local, tuning, rate)):
        yield f"training still to do: about {total.training:.0f} s on this machine, besides tests"
        yield f"asking what is trained: about {total.tests:.0f} s for tests, {total.probes:.0f} s for probes"
        yield f"asking the bases once: about {total.bases:.0f} s, where their answers are not kept yet"
        yield f"in all about {total.hours:.2f} device-hours, at this machine's speed"
    yield from _apis([run for run, _ in todo], trials)


def _apis(runs: Sequence[Run], trials: Sequence[Trial]) -> Iterator[str]:
    for model in {run.model.name: run.model for run in runs}.values():
        if not model.needs_device:
            longest = [_longest_shown(run) for run in runs if run.model.name == model.name]
            # Which values a search tries that has not begun is not known, and neither is what it chooses.
            strategies = {_searched_row(run): run.strategy for run in longest}
            tried = [trial for trial in trials if trial.run.model.name == model.name]
            dearest = [(replace(each.run, strategy=strategies[_searched_row(each.run)]), each.items) for each in tried]
            cost = sum((validation(run, items) for run, items in dearest), api_asking(longest))
            yield model.cost_sentence(f"{cost.items:,} questions", cost.read, cost.written)


def _searched_row(run: Run) -> tuple[str, ...]:
    """By what a run and the trials of its search are known, of one model."""
    return run.suite, run.task.name, run.strategy.name


def _longest_shown(run: Run) -> Run:
    """With as many solved examples as its search may choose, as long as it has not chosen."""
    space = run.search.space.get("shots") if run.search and run.tuning.chosen is None else None
    if space is None:
        return run
    shots = max(end for end in space.ends if isinstance(end, int))
    return replace(run, strategy=with_values(run.strategy, {"shots": shots}))


def api_asking(runs: Sequence[Run]) -> Asking:
    """Of one model, each question once, since answers are kept: a row without solved examples asks what its base is asked."""
    shown = {run.id: tests(run) for run in runs if run.strategy.wording.shots}
    return sum(shown.values(), base_asking(runs))
