"""What is larger than a plan can hold is told by the plan."""

import sys
from dataclasses import replace

import psutil
import pytest

from bench.errors import UserError
from bench.planning.options import PlanOptions
from bench.planning.plan import plan
from bench.preflight.counts import EXAMPLE_BYTES, check_counts
from bench.tasks import splits


def planned(model="tiny-bert", strategy="full", **options):
    return plan(PlanOptions("sentiment", model=str(model), strategies=[strategy], **options), "fp32")


@pytest.mark.parametrize("budget", ["999999999999examples", "99999999999steps", "999Ttokens", "999Gexamples,9Gsteps"])
def test_a_budget_whose_plan_fills_the_memory_is_refused(budget):
    with pytest.raises(UserError, match=r"is of at least [\d,]+ examples, whose plan takes [\d,]+ GB, and this machine has"):
        check_counts(planned(budget=budget))


@pytest.mark.parametrize("budget", ["512examples", "80ktokens", "99999999999examples,90s", "99999999999examples,3TFLOP"])
def test_others_are_not(budget):
    check_counts(planned(budget=budget))


def test_the_bound_is_the_machines_memory(monkeypatch):
    class Memory:
        total = 512 * EXAMPLE_BYTES

    monkeypatch.setattr(psutil, "virtual_memory", lambda: Memory)
    check_counts(planned(budget="512examples"))
    with pytest.raises(UserError, match="513 examples"):
        check_counts(planned(budget="513examples"))


def test_shots_are_of_the_task_and_stand_in_the_prompt(decoder_folder, tmp_path):
    check_counts(planned(decoder_folder, "few-shot", settings=["shots=256"]))
    with pytest.raises(UserError, match=r"shots=257 do not stand in one prompt of model '.*', which reads 512 tokens"):
        check_counts(planned(decoder_folder, "few-shot", settings=["shots=257"]))
    check_counts(planned("tiny-bert", "few-shot", settings=["shots=257"]))  # which reads them one by one
    with pytest.raises(UserError, match=r"strategy 'few-shot': shots=1000000, and task 'sst2' has [\d,]+ training examples"):
        check_counts(planned("tiny-bert", "few-shot", settings=["shots=1000000"]))


def test_the_most_examples_that_a_search_may_show_are_looked_at(monkeypatch):
    searched = planned("tiny-bert", "few-shot", tune={"trials": 4})
    check_counts(searched)
    few = type("Few", (), {"train": [None] * 15})
    monkeypatch.setattr(splits, "load_training", lambda task: few)
    check_counts(planned("tiny-bert", "few-shot"))
    with pytest.raises(UserError, match=r"shots=16, and task 'sst2' has 15 .* --set few-shot.shots=K, which is not searched"):
        check_counts(searched)


def test_each_point_of_a_sweep_is_looked_at():
    shots = [run for given in (4, 1_000_000) for run in planned("tiny-bert", "few-shot", settings=[f"shots={given}"])]
    with pytest.raises(UserError, match="shots=1000000, and task 'sst2' has"):
        check_counts(shots)
    steps = planned(budget="99999steps")
    with pytest.raises(UserError, match="is of at least 99,999,000,000,000 examples"):
        check_counts([*steps, *(replace(run, batch=10**9) for run in steps)])


def test_a_planned_example_takes_as_much_as_is_said():
    assert sys.getsizeof([1]) + sys.getsizeof((1, 2)) + sys.getsizeof(dict.fromkeys("abcd", 1)) >= EXAMPLE_BYTES
