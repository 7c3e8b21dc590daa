"""Runs in which one part of the seed is moved, and which of them are worth doing."""

from dataclasses import replace
from types import SimpleNamespace

import pytest

from bench.errors import UserError
from bench.planning import varying
from bench.planning.options import PlanOptions
from bench.planning.plan import plan
from bench.planning.varying import parts_named, that_differ, unvaried_runs, varied_runs


@pytest.fixture(scope="module")
def run():
    (run,) = plan(PlanOptions("sentiment", model="tiny-bert", strategies=["full"]), "fp32")
    return run


def test_parts_come_in_their_own_order():
    assert parts_named(["dropout", "init", "dropout"]) == ["init", "dropout"]


def test_one_run_stands_for_seed_0_of_every_part(run):
    runs = varied_runs(replace(run, seed=7), ["init", "dropout"], 3)
    assert [each.seeds.model_dump() for each in runs] == [
        {"init": 0, "order": 0, "dropout": 0},
        {"init": 1, "order": 0, "dropout": 0},
        {"init": 2, "order": 0, "dropout": 0},
        {"init": 0, "order": 0, "dropout": 1},
        {"init": 0, "order": 0, "dropout": 2},
    ]
    assert unvaried_runs(runs) == runs[:1]
    assert {each.id for each in varied_runs(run, ["order"], 2)} & {each.id for each in runs} == {runs[0].id}
    with pytest.raises(UserError, match="at least two seeds"):
        varied_runs(run, ["init"], 1)


def record(status="ok", drew=()):
    return SimpleNamespace(status=status, outcome=SimpleNamespace(drew=list(drew)) if status == "ok" else None)


@pytest.mark.parametrize(
    ("first", "parts"),
    [
        (None, {"init", "order", "dropout"}),  # nothing is known yet
        (record("failed"), {"init", "order", "dropout"}),
        (record("ok", ["order"]), {"order"}),
        (record("ok", ["order", "init"]), {"order", "init"}),
        (record("skipped"), set()),  # so would all the others be
    ],
)
def test_a_part_that_drew_nothing_is_not_varied(first, parts, run, tmp_path, monkeypatch):
    runs = varied_runs(run, ["init", "order", "dropout"], 3)
    monkeypatch.setattr(varying.store, "find_record", lambda out, name: {runs[0].id: first}[name])
    left = that_differ(runs, tmp_path)
    assert left[0] == runs[0] and {each.varied for each in left[1:]} == parts and len(left) == 1 + 2 * len(parts)
