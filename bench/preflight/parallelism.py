"""Which runs cannot be done under a launcher, and why: told before anything starts."""

from collections.abc import Iterable

from bench.devices.launched import NAMES, SHARDING, Parallelism
from bench.errors import UserError
from bench.runs.run import Run
from bench.strategies import Strategy


def refusal(strategy: Strategy, parallelism: Parallelism) -> str | None:
    """Why a strategy cannot be run so, or None."""
    if strategy.bits < 32 and parallelism in SHARDING:
        return (
            f"strategy '{strategy.name}' holds its base in {strategy.bits} bit, which {NAMES[parallelism]} cannot share out; "
            f"set {strategy.name}.bits=32, or use a launcher that keeps weights whole (launch/gpus.yaml)"
        )
    if strategy.compiles and parallelism in SHARDING:
        return (
            f"strategy '{strategy.name}' has its blocks compiled, which was never tried where {NAMES[parallelism]} shares out "
            f"weights; leave out {strategy.name}.compile, or use a launcher that keeps weights whole (launch/gpus.yaml)"
        )
    return None


def check_parallelism(runs: Iterable[Run], parallelism: Parallelism) -> None:
    """Refuse the runs that are to be done where one of them cannot be.

    Raises:
        UserError: with the reason; nothing has started by then.
    """
    for run in runs:
        if reason := refusal(run.strategy, parallelism):
            raise UserError(f"{run.label}: {reason}, or leave it out by --strategies")
