"""A suite from its plan to its page: what waits is told, done and shown."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bench import folders
from bench.devices import hardware
from bench.devices.device import Device, start
from bench.devices.environment import environment
from bench.heartbeat import beating
from bench.planning import estimate
from bench.planning.plan import PlanOptions, plan
from bench.planning.tuning import TrialPlace, as_far_as_tuned, trial_count, tuned
from bench.planning.varying import still, that_differ
from bench.planning.warnings import doubt
from bench.progress import Progress
from bench.records import store
from bench.running import execution
from bench.running.finished import is_finished, kept_from_elsewhere
from bench.running.kept import KEEPING, Keeping
from bench.running.run import Run
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
    keeping: Keeping = KEEPING


def run_suite(options: PlanOptions, precision_text: str, doing: SuiteOptions) -> int:
    """The exit status: 1 where a run failed.

    Raises:
        UserError: something that was asked for is wrong; nothing has been written by then.
    """
    precision, vary = hardware.requested(precision_text), options.vary is not None
    out, debug, rerun_on_change, keeping = doing.out, doing.debug, doing.rerun_on_change, doing.keeping
    device = start(precision)
    with device.accelerator.main_process_first():
        runs = plan(options, precision)
    place = store.varied_folder(out) if vary else out
    progress = Progress(device.main, len(runs), out if device.main else None)
    for sentence in dict.fromkeys(sentence for planned in runs for sentence in planned.left_out):
        progress.say(sentence)
    runs, trials = as_far_as_tuned(that_differ(runs, place) if vary else runs, out)
    waiting = unfinished(runs, place, device, progress, rerun_on_change)
    for sentence in dict.fromkeys(filter(None, map(doubt, waiting))):
        progress.say(sentence)
    if doing.dry_run:
        if device.main:
            estimate.print_plan(runs, place, waiting, trials)
        return 0
    if device.main:
        folders.check_writable(store.folder(place))
    device.accelerator.wait_for_everyone()  # else a faster process writes records that a slower one takes for finished ones
    execution.check_data(waiting)
    if trials:
        runs = tuned(runs, TrialPlace(out, device, Progress(device.main, trial_count(runs)), debug, keeping))
    if vary:
        first = still(runs)
        execution.execute(first, place, device, Progress(device.main, len(first)), debug, rerun_on_change, keeping)
        runs = that_differ(runs, place)
    if trials or vary:  # only now is it known which runs there are
        unfinished(runs, place, device, progress, rerun_on_change)
    with beating(out, device.accelerator.num_processes, lambda: progress.status.phase):
        records = execution.execute(runs, place, device, progress, debug, rerun_on_change, keeping)
    if device.main and vary:
        print_variance(records, store.read_all(out))
    elif device.main:
        # What was run for hours is shown whatever else lies in the folder; what is unequal is said in the captions.
        table.print_rows(records, out, allow_unequal=True)
        progress.say(f"leaderboard: {leaderboard.write_page(out, out, allow_unequal=True)}")
    return 1 if any(record.status == "failed" for record in records) else 0


def unfinished(runs: Sequence[Run], out: Path, device: Device, progress: Progress, rerun_on_change: bool) -> list[Run]:
    """The runs that are still to be done; a person is told of those that are done."""
    here = environment(device.torch.type, device.precision)
    records = {record.run_id: record for record in store.read_all(out)}
    finished = {run.id for run in runs if is_finished(records.get(run.id), here, rerun_on_change)}
    waiting = [run for run in runs if run.id not in finished]
    if sentence := kept_from_elsewhere([records[run.id] for run in runs if run.id in finished], here):
        progress.say(sentence)
    if not waiting:
        progress.say(f"nothing to run: all {len(runs)} runs of suite '{runs[0].suite}' have records in {out}")
    progress.total = len(waiting) or len(runs)
    return waiting
