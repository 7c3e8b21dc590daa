"""`tunebench ablate`: the runs of a sweep like those of a suite, and then its tables, of the records that they left."""

from pathlib import Path

from bench.devices.hardware import Precision, requested
from bench.planning.plan import PlanOptions, plan, sweep_points
from bench.records import store
from bench.records.record import Record
from bench.running.run import Run
from bench.suites import SuiteOptions, run_suite
from reports.paper.ablated import AblationFiles
from reports.paper.ablation import Sweep


def ablated(options: PlanOptions, precision: str, doing: SuiteOptions, files: AblationFiles, runs: bool = True) -> int:
    """Do what has no record yet, where it may run, and write the tables; the exit status is 1 where a run failed.

    Raises:
        UserError: something that was asked for is wrong; nothing has been run by then.
    """
    files.check()
    status = run_suite(options, precision, doing) if runs or doing.dry_run else 0
    if not doing.dry_run:
        files.write(swept(options, requested(precision), doing.out), doing.out)
    return status


def swept(options: PlanOptions, precision: Precision, out: Path) -> Sweep:
    """The records in `out` of the runs of each point, by their ids, whatever suite or command did them."""
    found: dict[tuple[str, ...], list[Record]] = {}
    missing: list[str] = []
    for values, point in sweep_points(options).items():
        found[values] = []
        for run in plan(point, precision):
            if record := store.find_record(out, run.id):
                found[values].append(_as_of(run, record))
            else:
                missing.append(f"{', '.join(values)} ({run.label})")
    return Sweep(tuple(axis.name for axis in options.axes), found, missing)


def _as_of(run: Run, record: Record) -> Record:
    """The record under the sweep's suite: a shared run keeps the name of the one that did it first, and rows of one table are
    of one suite."""
    return record.model_copy(update={"setup": record.setup.model_copy(update={"suite": run.suite})})
