"""Which runs are done: a finished one is never run again, unless its environment changed and the user asks for it."""

from collections.abc import Iterable, Mapping

from bench.devices.environment import differences

Environment = Mapping[str, str]


def is_finished(status: str, environment: Environment, now: Environment, rerun_on_change: bool) -> bool:
    """Whether a record answers its run: it did not fail, and was made in this environment where that is asked for.

    `environment` is empty in a record from before environments were recorded: it may be any, so it counts as another.
    """
    return status != "failed" and not (rerun_on_change and environment != now)


def kept_from_elsewhere(environments: Iterable[Environment], now: Environment) -> str | None:
    """A sentence on the finished runs that are kept though their environment differs, and what differs; None without any."""
    others = [environment for environment in environments if environment != now]
    if not others:
        return None
    changes = dict.fromkeys(change for other in others if other for change in differences(other, now))
    if not all(others):
        changes["an environment that is not recorded"] = None
    many = f"{len(others)} finished runs are" if len(others) > 1 else "1 finished run is"
    return f"{many} kept from another environment ({', '.join(changes)}); --rerun-on-change does them again"
