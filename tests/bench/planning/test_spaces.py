"""What is searched for a strategy, and what is wrong with it, told before anything is trained."""

import pytest

from bench import strategies
from bench.errors import UserError
from bench.planning.options import PlanOptions
from bench.planning.plan import plan
from bench.planning.spaces import search_of, tune_options
from bench.specs.library import BUILT_IN
from bench.specs.search import NumberRange, TuneOptions

FOUR = TuneOptions(trials=4)


def planned(**options):
    found = plan(PlanOptions("sentiment", **{"model": "tiny-bert", "tune": {"trials": 4}, **options}), "fp32")
    return {run.strategy.name: run for run in found}


def test_every_strategy_but_zero_shot_is_searched_in_its_own_space():
    runs = planned()
    assert {name: bool(run.search) for name, run in runs.items()} == {name: name != "zero-shot" for name in runs}
    assert runs["few-shot"].search.space == {"shots": NumberRange(low=1, high=16, log=True, integer=True)}
    assert runs["full"].search.space["learning_rate"] == NumberRange(low=2e-5, high=2e-3, log=True)
    assert runs["lora-8bit"].search.space["learning_rate"] == NumberRange(low=1e-4, high=1e-2, log=True)
    assert planned(model="smollm2")["full"].search.space["learning_rate"] == NumberRange(low=5e-6, high=5e-4, log=True)
    assert {run.search.options for run in runs.values() if run.search} == {FOUR}


def test_ids_without_tuning_are_what_they_were_and_with_it_hold_the_search():
    bare, tuned, more = (planned(tune=tune) for tune in ({}, {"trials": 4}, {"trials": 8}))
    assert bare["zero-shot"].id == tuned["zero-shot"].id
    assert len({runs["full"].id for runs in (bare, tuned, more)}) == 3
    assert "search" not in bare["full"].inputs and bare["full"].tuning.trials == 0


def test_what_is_set_is_not_searched_and_what_a_suite_sets_is_where_the_search_begins(tmp_path):
    assert set(planned(settings=["lora-8bit.peft.r=4"])["lora-8bit"].search.space) == {"learning_rate"}
    with pytest.raises(UserError, match=r"'full' cannot be tuned: --set fixes all that it would search"):
        planned(settings=["full.learning_rate=1e-4"])
    text = (BUILT_IN / "sentiment.yaml").read_text().replace("name: sentiment", "name: mine")
    (tmp_path / "mine.yaml").write_text(f"{text}hyperparameters: {{full: {{learning_rate: 1.0e-4}}}}\ntune: {{trials: 3}}\n")
    runs = plan(PlanOptions(str(tmp_path / "mine.yaml"), model="tiny-bert", tune={"sampler": "tpe"}), "fp32")
    full = next(run for run in runs if run.strategy.name == "full")
    assert full.search.options == TuneOptions(trials=3, sampler="tpe") and "learning_rate" in full.search.space


def test_what_trains_nothing_and_is_fixed_is_not_searched():
    """It has no budget that a search could share, and is shown beside those that were searched."""
    runs = planned(settings=["few-shot.shots=2"])
    assert runs["few-shot"].search is None and runs["few-shot"].wording.shots == 2 and runs["full"].search
    assert runs["few-shot"].id == planned(settings=["few-shot.shots=2"], tune={})["few-shot"].id


def test_a_nested_hyperparameter_is_searched_unless_it_or_what_it_is_in_is_set(library):
    strategy = strategies.load_strategy(library.strategy("lora-8bit"), "encoder", {})
    space = {"peft.r": NumberRange(low=2, high=16, integer=True), "warmup": NumberRange(low=0, high=0.5)}
    for fixed, left in (
        ({}, {"peft.r", "warmup"}),
        ({"peft": {"r": 4}}, {"warmup"}),
        ({"peft": {"lora_alpha": 8}}, set(space)),
    ):
        assert set(search_of(strategy, space, fixed, FOUR, 8).space) == left


@pytest.mark.parametrize(
    ("space", "sentence"),
    [
        ({}, "'full' cannot be tuned: its file has no search space under `search`"),
        ({"learning_rat": NumberRange(low=1, high=2)}, "search space of strategy 'full': field 'learning_rat' is not known"),
        ({"learning_rate": NumberRange(low=1e-5, high=2)}, "search space of strategy 'full': field 'learning_rate'"),
        (
            {"learning_rate": NumberRange(low=1e-3, high=1e-2)},
            "learning_rate 0.0002 is the default, with which its trials begin",
        ),
    ],
)
def test_a_space_that_cannot_be_searched_gets_a_sentence(library, space, sentence):
    strategy = strategies.load_strategy(library.strategy("full"), "encoder", {})
    with pytest.raises(UserError) as caught:
        search_of(strategy, space, {}, FOUR, 8)
    assert sentence in str(caught.value)


def test_values_that_are_not_allowed_together_are_told_before_any_trial(library):
    """Each end by itself leaves a part to the suite's own task."""
    strategy = strategies.load_strategy(library.strategy("multitask"), "decoder", {})
    space = {"tasks.sarcasm": NumberRange(low=0.05, high=0.6), "rehearsal_share": NumberRange(low=0.05, high=0.6)}
    for name, dimension in space.items():
        search_of(strategy, {name: dimension}, {}, FOUR, 8)
    with pytest.raises(UserError, match=r"shares must be positive.*where a trial draws tasks.sarcasm=0.6, rehearsal_share=0.6"):
        search_of(strategy, space, {}, FOUR, 8)


def test_how_to_tune_needs_how_often_and_allowed_values():
    assert tune_options(None, {}) is None and tune_options(FOUR, {"trials": 8}) == TuneOptions(trials=8)
    for given, sentence in (
        ({"sampler": "tpe"}, "--sampler says how to tune, and nothing says how often: give --tune K too"),
        ({"trials": 4, "sampler": "grid"}, "tuning: field 'sampler': Input should be 'random' or 'tpe'"),
        ({"trials": 4, "share": 1.5}, "tuning: field 'share'"),
    ):
        with pytest.raises(UserError) as caught:
            tune_options(None, given)
        assert sentence in str(caught.value)
