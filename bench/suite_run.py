"""A suite from its plan to its page: what waits is told, done and shown."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from bench import folders
from bench.devices import hardware
from bench.devices.device import Device, start
from bench.devices.environment import environment
from bench.devices.hardware import Precision
from bench.devices.launched import Parallelism, parallelism
from bench.errors import RunError, UnwritableError, UserError
from bench.placing.crew import ONE, Crew, workers_of
from bench.placing.messages import WorkerSetting
from bench.planning.dry_run import print_plan, suites_told
from bench.planning.options import PlanOptions
from bench.planning.plan import asking_the_same, plan
from bench.planning.tuning import as_far_as_tuned, tuned
from bench.planning.varying import that_differ, unvaried_runs
from bench.planning.warnings import plan_warnings
from bench.preflight.copies import check_copies
from bench.preflight.data import check_data
from bench.preflight.runs import check_runs
from bench.processes.heartbeat import beating
from bench.progress import Progress
from bench.records import store
from bench.records.record import Record
from bench.running import execution
from bench.running.assignments import Hands, Workplace
from bench.running.trial import Trial
from bench.runs.finished import Environment, is_finished, kept_from_elsewhere
from bench.runs.run import Run
from bench.runs.run_folder import DEFAULT_KEEP, KeepOptions
from bench.runs.seed_rows import firsts_of_rows
from reports.page import leaderboard
from reports.terminal import table
from reports.terminal.variance import print_variance


@dataclass(frozen=True)
class SuiteOptions:
    """What is to be done with a plan, and how."""

    out: Path
    dry_run: bool = False
    rerun_on_change: bool = False
    debug: bool = False
    keep: KeepOptions = DEFAULT_KEEP
    crew: Crew = ONE
    shows: bool = True
    """Whether table and page come at its end; what calls it may have something else to show."""
    planned_for: Parallelism | None = None
    """How the processes for which a dry run plans will share a training; None: as these do."""


@dataclass(frozen=True)
class SuitePlan:
    """A suite's runs, and what of them is still to be done."""

    runs: list[Run]
    trials: list[Trial]
    """Trials of tuning that come before the runs they choose for."""
    waiting: list[Run]
    finished: list[Record]
    """Of the runs that don't wait."""
    place: Path
    """Where the records lie: the output folder, or with `--vary` a folder of its own in it."""
    varies: bool
    """Whether the parts of a seed are moved one at a time."""


def run_suite(options: PlanOptions, precision_text: str, doing: SuiteOptions) -> int:
    """The exit status: 1 where a run failed.

    Raises:
        UserError: something that was asked for is wrong; nothing has been written by then.
    """
    precision = hardware.requested(precision_text)
    doing.crew.checked(hardware.processes())
    if doing.rerun_on_change and doing.crew.address:
        raise UserError(
            "--rerun-on-change holds records against this machine's environment, and workers of a cluster have their own; "
            "leave it out, and delete the records that are to be made anew"
        )
    device = start(precision)
    here = environment(device.torch.type, device.precision)
    with device.accelerator.main_process_first():
        planned = suite_plan(options, precision, doing, here)
    # Another command may end a run between two processes' looks, and they would wait for each other with different work.
    planned = device.agreed(planned)
    progress = progress_of(len(planned.waiting) or len(planned.runs), device, doing.out)
    sharing = doing.planned_for or parallelism(device.accelerator)
    _tell_each_once(progress, (sentence for run in planned.runs for sentence in run.left_out))
    _tell_each_once(progress, _sentences_on_finished(planned, here))
    _check_waiting(planned, progress, doing, sharing)
    if doing.dry_run:
        if device.main:
            print_plan(planned.runs, planned.place, planned.waiting, planned.trials, sharing)
        return 0
    if device.main:
        check_folders(planned, sharing)
    device.accelerator.wait_for_everyone()  # else a faster process writes records that a slower one takes for finished ones
    check_data(firsts_of_rows(planned.waiting))
    workplace = Workplace(planned.place, device, progress, doing.debug, doing.keep)
    records = _carried_out(planned, precision, workplace, doing)
    device.take_leave()
    if device.main and doing.shows:
        _show_results(records, doing.out, progress, planned.varies)
    return 1 if any(record.status == "failed" for record in records) else 0


def suite_plan(options: PlanOptions, precision: Precision, doing: SuiteOptions, here: Environment) -> SuitePlan:
    """What there is to do, as far as the records of the output folder tell.

    Args:
        here: what would do it.

    Raises:
        UserError: something that was asked for is wrong.
    """
    runs, varies = plan(options, precision), options.vary is not None
    place = store.varied_folder(doing.out) if varies else doing.out
    runs, trials = as_far_as_tuned(that_differ(runs, place) if varies else runs, doing.out)
    return SuitePlan(runs, trials, *unfinished(runs, place, here, doing.rerun_on_change), place, varies)


def _check_waiting(planned: SuitePlan, progress: Progress, doing: SuiteOptions, sharing: Parallelism) -> None:
    """What is wrong with what waits ends the command here; what is doubtful is told."""
    # A dry run may plan for another machine, and a cluster is of others.
    elsewhere = doing.dry_run or doing.crew.engine != "process"
    firsts = firsts_of_rows(planned.waiting)
    check_runs(firsts, sharing, None if elsewhere else hardware.memory_bytes())
    _tell_each_once(progress, plan_warnings(firsts))


def check_folders(planned: SuitePlan, sharing: Parallelism) -> None:
    """Raise UserError where something is to be written, and cannot be."""
    if planned.waiting or planned.trials or planned.varies:  # a folder that holds all records may be read-only
        folders.check_writable(store.folder(planned.place))
        folders.check_writable(folders.cache())
        check_copies(planned.waiting, sharing)


def _carried_out(planned: SuitePlan, precision: Precision, workplace: Workplace, doing: SuiteOptions) -> list[Record]:
    """The records of the runs, by as many workers as were asked for; an error is raised once what there is has been shown."""
    setting = WorkerSetting(planned.place.absolute(), precision, doing.debug, doing.keep)
    with workers_of(doing.crew, [*planned.waiting, *(trial.run for trial in planned.trials)], setting) as doers:
        try:
            return _records_once_done(planned, workplace, doing, doers)
        except Exception as error:
            # What has happened to one run takes nothing from the others: they are shown, and then it is told.
            if workplace.device.main and doing.shows:
                _show_finished(planned, doing.out, workplace.progress)
            if isinstance(error, UnwritableError):  # it could be written when all this was asked for
                raise RunError(str(error)) from error
            raise


def _tell_each_once(progress: Progress, sentences: Iterable[str]) -> None:
    """Each once, though it may hold for many runs."""
    for sentence in dict.fromkeys(sentences):
        progress.say(sentence)


def progress_of(runs: int, device: Device, out: Path) -> Progress:
    """What a person sees of so many runs, which all processes do together."""
    return Progress(device.main, runs, out if device.main else None, device.accelerator.num_processes)


def _records_once_done(planned: SuitePlan, workplace: Workplace, doing: SuiteOptions, doers: Hands) -> list[Record]:
    """The records of the runs, once all that waits is done: first the trials that choose for them, or what a seed moves."""
    device, again, runs = workplace.device, doing.rerun_on_change, planned.runs
    shown = workplace.progress

    def counting(works: int) -> Workplace:
        """A place whose progress is that of so many pieces of work before the runs themselves."""
        nonlocal shown
        shown = progress_of(works, device, doing.out)
        return replace(workplace, progress=shown)

    with beating(doing.out, device.accelerator.num_processes, lambda: shown.status.stage):
        if planned.trials:
            runs = tuned(runs, replace(counting(len(planned.trials)), out=doing.out), doers)
            if pair := asking_the_same(runs):
                _tell_each_once(shown, [f"{pair} with what their searches chose: they are one row, under the first one's name"])
        if planned.varies:
            first = unvaried_runs(runs)
            execution.execute(first, counting(len(first)), again, doers)
            runs = device.agreed(that_differ(runs, planned.place))
        shown = workplace.progress
        if planned.trials or planned.varies:  # only now is it known which runs there are
            here = environment(device.torch.type, device.precision)
            shown.total = len(unfinished(runs, planned.place, here, again)[0]) or len(runs)
        return execution.execute(runs, workplace, again, doers)


def _show_finished(planned: SuitePlan, out: Path, progress: Progress) -> None:
    """What there is of the plan's suites; what hinders that is not told, since worse is to come."""
    suites = {run.suite for run in planned.runs}
    with suppress(UserError, OSError):
        if records := [record for record in store.read_all(planned.place) if record.setup.suite in suites]:
            _show_results(records, out, progress, planned.varies)


def _show_results(records: Sequence[Record], out: Path, progress: Progress, varies: bool) -> None:
    if varies:
        print_variance(records, store.read_all(out))
        return
    # What was run for hours is shown whatever else lies in the folder; what is unequal is said in the captions.
    shown = {record.run_id for record in records}
    table.print_results(out, lambda run, _: run in shown, allow_unequal=True)
    try:
        progress.say(f"leaderboard: {leaderboard.write_page(out, out, allow_unequal=True)}")
    except UserError as error:  # the table has been shown, and all that was run is kept
        progress.say(f"no leaderboard page: {error}")


def unfinished(runs: Sequence[Run], out: Path, here: Environment, again: bool) -> tuple[list[Run], list[Record]]:
    """The runs that are still to be done, and the records of the others.

    Args:
        here: what would do them.
        again: whether runs of another environment are done again.
    """
    records = {record.run_id: record for record in store.read_all(out)}
    finished = {run.id for run in runs if is_finished(records.get(run.id), here, again)}
    return [run for run in runs if run.id not in finished], [records[run.id] for run in runs if run.id in finished]


def _sentences_on_finished(planned: SuitePlan, here: Environment) -> Iterator[str]:
    """What a person is told of runs that are not done again."""
    if sentence := kept_from_elsewhere(planned.finished, here):
        yield sentence
    runs, suites = planned.runs, {run.id: run.suite for run in planned.runs}
    # A run's id is what is asked, whichever suite asks it; its record, and the table that shows it, are the first suite's.
    elsewhere = Counter(record.setup.suite for record in planned.finished if record.setup.suite != suites[record.run_id])
    for suite, count in elsewhere.items():
        yield (
            f"{count} of these runs {'was' if count == 1 else 'were'} done for suite '{suite}', whose table shows "
            f"{'it' if count == 1 else 'them'}; another --out has a table of its own"
        )
    if not planned.waiting:
        yield f"nothing to run: all {len(runs)} runs of {suites_told(runs)} have records in {planned.place}"
