"""`tunebench ablate`: the runs of a sweep like those of a suite, and then its tables, of the records that they left."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from bench.devices.hardware import Precision, requested
from bench.errors import UserError
from bench.planning import settings
from bench.planning.axes import axes_of, parse_axes
from bench.planning.options import PlanOptions, sweep_points
from bench.planning.plan import plan
from bench.planning.tuning import as_far_as_tuned
from bench.records import store
from bench.records.record import Record
from bench.runs.run import Run
from bench.specs.library import suites_for
from bench.suite_run import SuiteOptions, run_suite
from reports.paper.ablated import AblationFiles, tell_unscored
from reports.paper.ablation import Sweep


def ablated(
    requests: Sequence[PlanOptions], precision: str, doing: SuiteOptions, files: AblationFiles, runs: bool = True
) -> int:
    """Do what has no record yet, where it may run, and write the tables; the exit status is 1 where a run failed.

    Raises:
        UserError: something that was asked for is wrong; of the first sweep nothing has been run by then.
    """
    files.check()
    statuses = [run_suite(options, precision, doing) for options in requests] if runs or doing.dry_run else []
    status = max(statuses, default=0)
    if not doing.dry_run:
        results = [swept(options, requested(precision), doing.out) for options in requests]
        # Where all runs failed nothing was asked for wrongly, and there is no table all the same.
        if status and not any(sweep.scored for sweep in results):
            tell_unscored(results)
        else:
            files.write(results, doing.out)
    return status


def sweeps(options: PlanOptions, axes: Sequence[str] | None) -> list[PlanOptions]:
    """The sweep over the axes that are named, or else what the suite, or those that it lists, have as `ablations`.

    Raises:
        UserError: a strategy is named without axes or the other way, there is nothing to sweep, axes can't be swept, or what is
            swept is said of all points too.
    """
    if bool(options.strategies) != bool(axes):
        raise UserError("--strategy and --axis go together; without both, the suite's `ablations` are swept")
    if axes:
        sweep = replace(options, axes=parse_axes(axes))
        _check_said_once(sweep)
        return [sweep]
    kept = [each for _, suite in suites_for(options.suite) for each in suite.ablations]
    if not kept:
        raise UserError(f"suite '{options.suite}' has no `ablations`: add some, or name what to sweep by --strategy and --axis")
    planned = [replace(options, strategies=[each.strategy], axes=axes_of(each.axes)) for each in kept]
    for sweep in planned:
        _check_said_once(sweep)
    return [replace(sweep, settings=_spoken_to(sweep, planned)) for sweep in planned]


def _spoken_to(sweep: PlanOptions, beside: Sequence[PlanOptions]) -> list[str]:
    """What is set for all strategies or for the sweep's own, and not what is for that of another sweep."""
    library, _ = suites_for(sweep.suite)[0]
    names = [library.strategy(name).name for each in beside for name in each.strategies or ()]
    own = {library.strategy(name).name for name in sweep.strategies or ()}
    given = settings.parse(sweep.settings, names)
    return [text for text, (owner, _, _) in zip(sweep.settings, given, strict=True) if owner is None or owner in own]


def _check_said_once(sweep: PlanOptions) -> None:
    """What is said of all points, and by an axis of each, would silently have no effect."""
    library, _ = suites_for(sweep.suite)[0]
    names = [library.strategy(name).name for name in sweep.strategies or ()]
    axes = [keys for _, keys, _ in settings.parse([f"{axis.name}=0" for axis in sweep.axes], names)]
    of_all_points = [("--budget", sweep.budget, ["budget"])] if sweep.budget else []
    given = settings.parse(sweep.settings, names)
    of_all_points += [("--set", text, keys) for text, (_, keys, _) in zip(sweep.settings, given, strict=True)]
    for option, text, keys in of_all_points:
        if any(keys[: len(axis)] == axis for axis in axes):
            raise UserError(f"{option} {text} is said of all points, and --axis of each; leave one of them out")


def swept(options: PlanOptions, precision: Precision, out: Path) -> Sweep:
    """The records in `out` of the runs of each point, by their ids, whatever suite or command did them."""
    records: dict[tuple[str, ...], list[Record]] = {}
    missing: list[str] = []
    for values, point in sweep_points(options).items():
        records[values] = []
        for run in as_far_as_tuned(plan(point, precision), out)[0]:
            if record := store.find_record(out, run.id):
                records[values].append(_as_of(run, record))
            else:
                missing.append(f"{', '.join(values)} ({run.label})")
    return Sweep(tuple(axis.name for axis in options.axes), records, missing)


def _as_of(run: Run, record: Record) -> Record:
    """The record under the names of the sweep: a shared run keeps those of the one that did it first, such as the suite's and
    a variant's of the same strategy, and runs of other names would be rows of their own."""
    assert record.setup  # it has the id of a run of ours
    names = {"suite": run.suite, "model": run.model.name, "task": run.task.name, "strategy": run.strategy.name}
    return record.model_copy(update={"setup": record.setup.model_copy(update=names)})
