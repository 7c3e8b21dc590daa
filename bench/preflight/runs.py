"""What can be found wrong with runs by their settings and the shapes of their models, before any data is read."""

from collections.abc import Sequence

from bench.devices.launched import Parallelism
from bench.errors import UserError
from bench.preflight.compilers import check_compilers
from bench.preflight.counts import check_counts
from bench.preflight.parallelism import check_parallelism
from bench.preflight.shapes import check_shapes
from bench.runs.run import Run


def check_names(runs: Sequence[Run]) -> None:
    """Raise UserError where another task that a run is asked has the name of a set from another domain: a record has one result
    of that name."""
    for run in runs:
        tasks = {task.name for task in (*run.training_tasks, *run.also)}
        if twice := tasks & set(run.task.out_of_domain):
            raise UserError(
                f"{run.label}: '{min(twice)}' is a set from another domain of task '{run.task.name}', and another task that "
                "the run is asked; call one of them otherwise"
            )


def check_runs(runs: Sequence[Run], parallelism: Parallelism, room: int | None = None) -> None:
    """The quick checks first.

    Args:
        room: bytes that there are for weights, gradients and moments; None where the plan is not for this machine.

    Raises:
        UserError: a strategy can't be run under the launcher, two sets that a model is asked have one name, no machine can hold
            a budget's examples, a strategy does not fit a model, or there is no compiler.
    """
    check_parallelism(runs, parallelism)
    check_names(runs)
    check_counts(runs)
    check_shapes(runs, room)
    # A plan for another machine hangs on that one's compiler, which can't be looked for here.
    if room is not None:
        check_compilers(runs)
