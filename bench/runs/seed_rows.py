"""The rows of a plan: of ten thousand runs nearly all differ from another in nothing but their seed, and what is the same for
all seeds is worked out once."""

from collections.abc import Iterable
from dataclasses import fields

from bench.groups import groups_by
from bench.runs.run import Run

OF_ONE_SEED = {"seed", "varied"}
OF_ALL_SEEDS = [field.name for field in fields(Run) if field.name not in OF_ONE_SEED]


def seed_rows(runs: Iterable[Run]) -> list[list[Run]]:
    """The runs that share everything but the seed, in their order.

    A plan makes them of one run, so that they hold the very same objects: what is alike and was planned apart is two rows.
    """
    return list(groups_by(runs, _held_objects).values())


def firsts_of_rows(runs: Iterable[Run]) -> list[Run]:
    """One run of each row, which stands for the others where no seed matters."""
    return [row[0] for row in seed_rows(runs)]


def _held_objects(run: Run) -> tuple[int, ...]:
    # By identity, since specs have no hash, and an id would take the JSON of the whole question.
    return tuple(id(getattr(run, name)) for name in OF_ALL_SEEDS)
