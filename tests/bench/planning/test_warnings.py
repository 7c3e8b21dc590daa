"""A plan tells which runs may learn nothing, and of no other run."""

import pytest

from bench.planning import warnings
from bench.planning.options import PlanOptions
from bench.planning.plan import plan
from bench.planning.warnings import TAGGING_STEPS, doubt, plan_warnings


def planned(suite="ner", model="tiny-bert", strategy="full", **options):
    return plan(PlanOptions(suite, model=str(model), strategies=[strategy], **options), "fp32")[0]


def test_few_steps_of_an_encoder_that_tags_are_told_with_the_mentions_that_it_sees():
    said = doubt(planned(tasks=["sec-entities"], budget="320"))
    assert "20 steps see about" in said and f"raise the budget to {TAGGING_STEPS * 16}examples" in said
    twice = doubt(planned(tasks=["sec-entities"], budget="640"))
    mentions = [int(text.split("about ")[1].split(" mentions")[0].replace(",", "")) for text in (said, twice)]
    assert 0 < mentions[0] < mentions[1] <= 2 * mentions[0] + 1


def test_what_tokens_and_flops_come_to_is_told_too():
    """Planted fault: the suites `medical` and `finance` count tokens, and were never warned."""
    steps = {}
    for budget in ("20ktokens", "40ktokens", "0.002TFLOP", "20ktokens,320examples"):
        steps[budget] = int(doubt(planned(tasks=["sec-entities"], budget=budget)).split(" steps see")[0].split()[-1])
    assert 2 * steps["20ktokens"] - 1 <= steps["40ktokens"] <= 2 * steps["20ktokens"] + 2
    assert 0 < steps["0.002TFLOP"] < TAGGING_STEPS and steps["20ktokens,320examples"] == min(20, steps["20ktokens"])


def test_a_stage_that_tags_is_told_whatever_comes_after_it():
    """Planted fault: the suite `stages` ends with questions, and its 40 steps of tags were never told of."""
    said = doubt(planned("stages"))
    assert said.startswith("tiny-bert / sec-entities: 40 steps see about") and said.endswith("examples")


def test_seeds_and_trials_are_looked_at_once(monkeypatch):
    options = {"strategies": ["full", "frozen"], "tasks": ["sec-entities"], "seeds": 3, "budget": "320"}
    runs = plan(PlanOptions("ner", model="tiny-bert", **options), "fp32")
    looked: list[str] = []
    monkeypatch.setattr(warnings, "doubt", lambda run: looked.append(run.strategy.name) or "doubtful")
    assert list(plan_warnings(runs)) == ["doubtful"] * 2 and looked == ["full", "frozen"] and len(runs) == 6


@pytest.mark.parametrize(
    "options",
    [{"budget": "2560"}, {"strategy": "zero-shot", "budget": "320"}, {"suite": "qa", "budget": "320"}, {"budget": "90s"}],
    ids=["enough steps", "nothing is trained", "no tags", "the clock alone"],
)
def test_of_other_runs_nothing_is_said(options):
    assert doubt(planned(**options)) is None


def test_a_decoder_writes_its_entities(decoder_folder):
    assert doubt(planned(model=decoder_folder, tasks=["sec-entities"], budget="320")) is None
