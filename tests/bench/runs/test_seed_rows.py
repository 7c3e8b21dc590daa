"""What runs that differ in their seed alone have in common."""

from dataclasses import replace

from bench.planning.options import PlanOptions
from bench.planning.plan import plan
from bench.runs.seed_rows import firsts_of_rows, seed_rows


def planned():
    return plan(PlanOptions("sentiment", "tiny-bert", strategies=["full", "frozen"], seeds=3), "auto")


def test_a_strategys_seeds_are_a_row():
    runs = planned()
    assert [[run.label for run in row] for row in seed_rows(runs)] == [
        [f"tiny-bert / sst2 / {name} / seed {seed}" for seed in range(3)] for name in ("full", "frozen")
    ]
    assert firsts_of_rows(runs) == [runs[0], runs[3]]


def test_whatever_else_differs_sets_rows_apart():
    first = planned()[0]
    assert len(seed_rows([first, replace(first, seed=1), replace(first, batch=first.batch + 1)])) == 2


def test_what_was_planned_apart_is_two_rows():
    assert len(seed_rows([*planned(), *planned()])) == 4
