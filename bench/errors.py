"""What goes wrong in one sentence: `UserError` is the user's input (exit 2), `RunError` a run that failed (exit 1)."""

from collections.abc import Iterable
from difflib import get_close_matches


class UserError(Exception):
    """The input is wrong; the message names what, where, and what to do. The command line exits with status 2."""


class UnwritableError(UserError):
    """A file cannot be written: a disk is full, or a folder read-only. What was under way then has failed by it (exit 1)."""


class RunError(Exception):
    """The input was right and a run failed all the same. The command line exits with status 1."""


class BrokenOffError(RunError):
    """A run was broken off by what does not hinder it when the same command is given again (exit 71)."""


class DivergedError(RunError):
    """A training's loss is no finite number any more, which all its processes find alike."""


class BudgetError(RunError):
    """A run cannot be done within its budget, which all its processes find alike; its row says so."""


class TooSlowError(BudgetError):
    """It could be done, but not on this machine in this time."""


class FormatError(ValueError):
    """A fault at a place of a file's content; who knows the file's name makes a `UserError` of it."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")


def unknown(what: str, name: str, known: Iterable[str]) -> UserError:
    """An error for a name that does not exist, with the nearest names that do."""
    names = sorted(known)
    # difflib's own 0.6 would not see `qa` in `qq`: of short names one wrong letter is much.
    near = get_close_matches(name, names, n=3, cutoff=0.5)
    hint = f"did you mean {' or '.join(near)}?" if near else f"known: {', '.join(names) or 'none'}"
    return UserError(f"unknown {what} '{name}'; {hint}")
