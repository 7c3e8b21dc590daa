"""Hyper-parameters are searched before a run is done: trials on validation data, and a choice among them.

Trials' records are the only state. A search that was stopped goes on when it is asked for again, since what has a record is
not done twice, and it would be the same if several workers did the trials of a batch.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.planning.choice import Tried, as_told, summed_up
from bench.planning.study import halt, next_batch
from bench.records.record import Tuning
from bench.records.trial import TrialRecord, find_trial, write_trial
from bench.running.execution import Workplace, attempted, failure_reason
from bench.running.kept import remove_checkpoint
from bench.running.run import Run
from bench.running.trial import RUNGS, Halt, Trial, perform_trial, recorded_trial
from bench.specs.search import Search
from bench.strategies import value_of, with_values

FIRST_SEED = 1000
"""Trials are trained with other seeds than the runs that are published: what is chosen must not be what suited theirs."""

Doing = Callable[[Trial, Halt | None], TrialRecord | None]
"""Gives a trial's record; None where it is not to be done now."""


class TrialPlace(Workplace):
    """Where trials are done, and where their records lie."""

    def done(self, trial: Trial, rule: Halt | None) -> TrialRecord:
        """The record that there is, or that of a trial which is done now; one that fails leaves its reason."""
        self.progress.start(trial.label)
        record = find_trial(self.out, trial.id)
        if not self.device.agreed(record is not None):
            record = attempted(
                lambda: perform_trial(trial, self.device, self.progress, rule, self.kept(trial.id)),
                lambda error: recorded_trial(trial, self.device, status="failed", reason=failure_reason(error)),
                self.device,
                self.debug,
            )
            if self.device.main:
                write_trial(self.out, record)
                remove_checkpoint(self.out, trial.id)
            self.device.accelerator.wait_for_everyone()
            self.progress.done(record.reason or _told(record))
        assert record is not None
        return record


def _told(record: TrialRecord) -> str:
    assert record.score is not None
    pruned = "pruned at " if record.status == "pruned" else ""
    return f"{pruned}{record.score.name} {record.score.value:.3f} on validation items"


def trial_count(runs: Sequence[Run]) -> int:
    """Trainings that the searches of these runs ask for."""
    options = [run.search.options for run in _searched(runs).values() if run.search]
    return sum(each.trials * each.seeds for each in options)


def tuned(runs: Sequence[Run], place: TrialPlace) -> list[Run]:
    """The runs with the hyper-parameters that their searches choose; the trials that are still to be done are done.

    Runs that differ in their seeds alone share a search. Where all trials failed they keep the default, and are `untuned`.
    """
    found = {key: _summed_up(run, _tried(run, place.done)[0]) for key, run in _searched(runs).items()}
    return [_chosen(run, found.get(_key(run))) for run in runs]


def as_far_as_tuned(runs: Sequence[Run], out: Path) -> tuple[list[Run], list[Trial]]:
    """Without doing anything: the runs as `tuned` gives them where their search is over, and the trials that are missing.

    What later batches will ask for is not known yet: of these, trials of the default stand for the others.
    """
    found: dict[str, Tuning] = {}
    waiting: list[Trial] = []
    for key, run in _searched(runs).items():
        tried, missing = _tried(run, lambda trial, _: find_trial(out, trial.id))
        waiting += missing
        if not missing:
            found[key] = _summed_up(run, tried)
    return [_chosen(run, found.get(_key(run))) for run in runs], waiting


def _searched(runs: Sequence[Run]) -> dict[str, Run]:
    """The first run of each search."""
    first: dict[str, Run] = {}
    for run in runs:
        if run.search and not run.unfit:
            first.setdefault(_key(run), run)
    return first


def _key(run: Run) -> str:
    """Equal for runs that differ in nothing but the seed."""
    return replace(run, seed=0).id


def _chosen(run: Run, tuning: Tuning | None) -> Run:
    strategy = run.strategy
    if tuning is None:
        return run
    if tuning.chosen is not None:
        strategy = with_values(strategy, tuning.tried[tuning.chosen].hyperparameters)
    return replace(run, strategy=strategy, tuning=tuning)


def _summed_up(run: Run, tried: Sequence[Tried]) -> Tuning:
    assert run.search is not None
    return summed_up(run.search, tried, run.task.metrics[0])


def _tried(run: Run, doing: Doing) -> tuple[list[Tried], list[Trial]]:
    """The trials of a search, batch after batch; and those that are missing, which end it."""
    assert run.search is not None
    search, tried, missing = run.search, list[Tried](), list[Trial]()
    wanted, first = search.options.trials, {name: value_of(run.strategy, name) for name in search.space}
    while len(tried) < wanted and not missing:
        told = [as_told(each) for each in tried]
        for values in next_batch(search, first, told)[: wanted - len(told)]:
            trials = trials_of(run, search, values, len(told))
            records = [doing(trial, halt(search, told, seed)) for seed, trial in enumerate(trials)]
            missing += [trial for trial, record in zip(trials, records, strict=True) if record is None]
            tried.append((values, [record for record in records if record]))
    unknown = [trial for _ in range(wanted - len(tried)) for trial in trials_of(run, search, first, len(tried))]
    return tried, missing + unknown


def trials_of(run: Run, search: Search, values: Mapping[str, Any], before: int) -> list[Trial]:
    """The trainings of a trial, one per seed; `before` is how many trials the batches before it have."""
    options = search.options
    bare = replace(
        run,
        strategy=with_values(run.strategy, values),
        budget=run.budget.share(options.share),
        probes=(),
        left_out=(),
        also=(),
        probe_every=None,
        search=None,
    )
    rule = None
    if options.pruner != "none" and before > 0:
        rule = {"search": search.asking, "before": before, "rungs": list(RUNGS)}
    seeds = range(FIRST_SEED, FIRST_SEED + options.seeds)
    return [Trial(replace(bare, seed=seed), dict(values), search.items, rule) for seed in seeds]
