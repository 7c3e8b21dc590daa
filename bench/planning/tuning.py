"""Hyper-parameters are searched before a run is done: trials on validation data, and a choice among them.

Trials' records are the only state. A search that was stopped goes on when it is asked for again, since what has a record is
not done twice, and it would be the same if several workers did the trials of a batch.
"""

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bench.planning.next_trials import different_trials, next_batch, pruner
from bench.planning.search_summary import Tried, ended_trial, summed_up
from bench.planning.spaces import FIRST_TRIAL_SEED
from bench.records.record import Tuning
from bench.records.trial import TrialRecord, find_trial
from bench.running.assignments import Hands, Recorded, Workplace, in_turn
from bench.running.execution import attempted, failure_reason
from bench.running.trial import RUNGS, IsPruned, Trial, perform_trial, recorded_trial
from bench.runs.run import Run
from bench.specs.search import Search
from bench.strategies import value_of, with_values

PrunableTrial = tuple[Trial, IsPruned | None]
"""A trial, and what may prune it."""
TrialRecords = list[TrialRecord | None]
"""The records of trials, None where one is not to be done now."""
Searching = Generator[list[PrunableTrial], TrialRecords, tuple[list[Tried], list[Trial]]]
"""A search: asks for a batch of trials, is told their records, and so on; in the end all that were tried, and those missing."""


@dataclass(frozen=True)
class TrialWork:
    """A trial that is to be done."""

    trial: Trial
    pruner: IsPruned | None

    @property
    def id(self) -> str:
        return self.trial.id

    @property
    def label(self) -> str:
        return self.trial.label

    @property
    def run(self) -> Run:
        return self.trial.run

    def recorded(self, place: Workplace) -> TrialRecord | None:
        return find_trial(place.out, self.id)

    def do(self, place: Workplace) -> Recorded:
        """The trial's record; one that fails leaves its reason."""
        trial, device = self.trial, place.device
        record = attempted(
            lambda: perform_trial(trial, device, place.progress, self.pruner, place.run_folder(trial.id)),
            lambda error: recorded_trial(trial, device, status="failed", reason=failure_reason(error)),
            device,
            place.debug,
        )
        place.progress.done(record.reason or _trial_result(record))
        return Recorded(record)

    def failed(self, place: Workplace, reason: str) -> Recorded:
        return Recorded(recorded_trial(self.trial, place.device, status="failed", reason=reason))


def _trial_result(record: TrialRecord) -> str:
    assert record.score is not None
    pruned = "pruned at " if record.status == "pruned" else ""
    return f"{pruned}{record.score.name} {record.score.value:.3f} on validation items"


def tuned(runs: Sequence[Run], place: Workplace, hands: Hands = in_turn) -> list[Run]:
    """The runs with the hyper-parameters that their searches choose; the trials that are still to be done are done.

    Runs that differ in their seeds alone share a search. Where all trials failed they keep the default, and are `untuned`.
    """

    def doing(requests: Sequence[PrunableTrial]) -> TrialRecords:
        works = [TrialWork(*each) for each in requests]
        done = hands(works, place, lambda work: _final_trial(place.out, work.id) is not None)
        records = [_record_of_trial(done[work.id]) if work.id in done else find_trial(place.out, work.id) for work in works]
        return place.device.agreed(records)  # a shared disk may show a process late what another owner has put there

    first = _first_runs_of_searches(runs)
    tunings = {key: _summed_up(first[key], tried) for key, (tried, _) in _ended_searches(first, doing).items()}
    return _with_chosen_values(runs, tunings)


def _final_trial(out: Path, trial_id: str) -> TrialRecord | None:
    """A trial's record, unless the next command is to do it again, as it does a run that failed: a search whose best trial met
    a full disk would else choose another for good."""
    record = find_trial(out, trial_id)
    return record if record and record.final else None


def _record_of_trial(recorded: Recorded) -> TrialRecord:
    assert isinstance(recorded.record, TrialRecord)
    return recorded.record


def as_far_as_tuned(runs: Sequence[Run], out: Path) -> tuple[list[Run], list[Trial]]:
    """Without doing anything: the runs as `tuned` gives them where their search is over, and the trials that are missing.

    What later batches will ask for is not known yet: of these, trials of the default stand for the others.
    """
    first = _first_runs_of_searches(runs)
    led = _ended_searches(first, lambda requests: [_final_trial(out, trial.id) for trial, _ in requests])
    tunings = {key: _summed_up(first[key], tried) for key, (tried, missing) in led.items() if not missing}
    return _with_chosen_values(runs, tunings), [trial for _, missing in led.values() for trial in missing]


def _ended_searches(
    first: Mapping[str, Run], doing: Callable[[Sequence[PrunableTrial]], TrialRecords]
) -> dict[str, tuple[list[Tried], list[Trial]]]:
    """All searches to their ends, of each its next batch at a time: what several ask for at once, several workers can do."""
    searches = {key: _searching(run) for key, run in first.items()}
    batches, results = {key: next(search) for key, search in searches.items()}, {}
    while batches:
        answers = iter(doing([each for batch in batches.values() for each in batch]))
        for key, batch in list(batches.items()):
            try:
                batches[key] = searches[key].send([next(answers) for _ in batch])
            except StopIteration as end:
                results[key] = end.value
                del batches[key]
    return {key: results[key] for key in first}


def _first_runs_of_searches(runs: Sequence[Run]) -> dict[str, Run]:
    """The first run of each search that is still to be made: a run that has what its search chose has no longer the default
    with which that began."""
    first: dict[str, Run] = {}
    for run in runs:
        if run.search and not run.unfit and not run.tuning.trials:
            first.setdefault(_search_key(run), run)
    return first


def _search_key(run: Run) -> str:
    """Equal for runs that differ in nothing but the seed."""
    return replace(run, seed=0).id


def _with_chosen_values(runs: Sequence[Run], tunings: Mapping[str, Tuning]) -> list[Run]:
    # Most plans search nothing, and a key is a hash of the whole question.
    return [_with_chosen_value(run, tunings.get(_search_key(run))) if run.search else run for run in runs]


def _with_chosen_value(run: Run, tuning: Tuning | None) -> Run:
    strategy = run.strategy
    if tuning is None:
        return run
    if tuning.chosen is not None:
        strategy = with_values(strategy, tuning.tried[tuning.chosen].hyperparameters)
    return replace(run, strategy=strategy, tuning=tuning)


def _summed_up(run: Run, tried: Sequence[Tried]) -> Tuning:
    assert run.search is not None
    return summed_up(run.search, tried, run.task.metrics[0])


def _searching(run: Run) -> Searching:
    assert run.search is not None
    search, tried, missing = run.search, list[Tried](), list[Trial]()
    # A trial that was made already would cost nothing and find nothing, and look like one more.
    wanted = int(min(search.options.trials, different_trials(search)))
    first = {name: value_of(run.strategy, name) for name in search.space}
    while len(tried) < wanted and not missing:
        ended = [ended_trial(each) for each in tried]
        batch = next_batch(search, first, ended)[: wanted - len(ended)]
        trials = [trials_of(run, search, values, len(ended), first) for values in batch]
        # Whoever leads the search sends back a record for each of these, in this order.
        answers = iter((yield [(trial, pruner(search, ended, seed)) for each in trials for seed, trial in enumerate(each)]))
        for values, each in zip(batch, trials, strict=True):
            records = [next(answers) for _ in each]
            missing += [trial for trial, record in zip(each, records, strict=True) if record is None]
            tried.append((values, [record for record in records if record]))
    unknown = [trial for _ in range(wanted - len(tried)) for trial in trials_of(run, search, first, len(tried), first)]
    return tried, missing + unknown


def trials_of(run: Run, search: Search, values: Mapping[str, Any], before: int, first: Mapping[str, Any]) -> list[Trial]:
    """The trainings of a trial, one per seed; `before` is how many trials the batches before it have, and `first` the default
    with which these began."""
    options = search.options
    bare = replace(
        run,
        strategy=with_values(run.strategy, values),
        budget=run.budget.share(options.share),
        probes=(),
        left_out=(),
        also=(),
        probe_every=None,
        # Searches share the trials that they have in common, unless one may prune them: `rule` names it then.
        search=None,
    )
    rule = None
    if options.pruner != "none":
        # The first batch is held against nothing, and looked at on the way all the same: later ones are held against it.
        against = {"search": search.asking, "before": before, "first": dict(first)} if before else {}
        rule = {"rungs": list(RUNGS), **against}
    seeds = range(FIRST_TRIAL_SEED, FIRST_TRIAL_SEED + options.seeds)
    return [Trial(replace(bare, seed=seed), dict(values), search.items, rule) for seed in seeds]
