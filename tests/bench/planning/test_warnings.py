"""A plan tells which runs may learn nothing, and of no other run."""

import pytest

from bench.planning.options import PlanOptions
from bench.planning.plan import plan
from bench.planning.warnings import TAGGING_STEPS, doubt


def planned(suite="ner", model="tiny-bert", strategy="full", **options):
    return plan(PlanOptions(suite, model=str(model), strategies=[strategy], **options), "fp32")[0]


def test_few_steps_of_an_encoder_that_tags_are_told_with_the_mentions_that_it_sees():
    said = doubt(planned(tasks=["sec-entities"], budget="320"))
    assert "20 steps see about" in said and f"raise the budget to {TAGGING_STEPS * 16}examples" in said
    twice = doubt(planned(tasks=["sec-entities"], budget="640"))
    mentions = [int(text.split("about ")[1].split(" mentions")[0].replace(",", "")) for text in (said, twice)]
    assert 0 < mentions[0] < mentions[1] <= 2 * mentions[0] + 1


@pytest.mark.parametrize(
    "options",
    [{"budget": "2560"}, {"strategy": "zero-shot", "budget": "320"}, {"suite": "qa", "budget": "320"}],
    ids=["enough steps", "nothing is trained", "no tags"],
)
def test_of_other_runs_nothing_is_said(options):
    assert doubt(planned(**options)) is None


def test_a_decoder_writes_its_entities(decoder_folder):
    assert doubt(planned(model=decoder_folder, tasks=["sec-entities"], budget="320")) is None
