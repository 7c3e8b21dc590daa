"""Search spaces: what a range and a choice hold, and what is wrong in one is told with file and field."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import UserError
from bench.specs.base import read_spec
from bench.specs.search import Choice, NumberRange, TuneOptions
from bench.specs.strategy import StrategySpec

FILE = "name: mine\ndescription: mine\nkind: full\nsearch: {learning_rate: %s}\n"


@pytest.mark.parametrize(
    ("space", "sentence"),
    [
        ("{low: 1.0e-3, high: 1.0e-5}", "field 'search.learning_rate': low (0.001) must lie below high (1e-05)"),
        ("{low: 0, high: 1.0e-5, log: true}", "a logarithm needs a low above 0, not 0"),
        ("{low: 1, high: 2.5, integer: true}", "the bounds of an integer are whole numbers"),
        ("{low: 1}", "field 'search.learning_rate.high': Field required"),
        ("{low: 1, high: 2, logg: true}", "field 'search.learning_rate.logg' is not known"),
        ("{choice: [1]}", "field 'search.learning_rate.choice': List should have at least 2 items"),
        ("{choice: [1, 2, 1]}", "a value stands twice in the choice"),
        ("[1, 2]", "field 'search.learning_rate': Input should be a valid dictionary"),
    ],
)
def test_a_wrong_space_gets_a_sentence_with_file_and_field(tmp_path, space, sentence):
    path = tmp_path / "mine.yaml"
    path.write_text(FILE % space)
    with pytest.raises(UserError) as caught:
        read_spec(path, StrategySpec)
    assert str(path) in str(caught.value) and sentence in str(caught.value)


def test_a_range_and_a_choice_know_what_they_hold():
    ranks = NumberRange(low=2, high=16, integer=True)
    assert ranks.holds(2) and ranks.holds(16.0) and not ranks.holds(2.5) and not ranks.holds(17) and not ranks.holds(True)
    assert not ranks.holds("4") and str(ranks) == "2 to 16"
    schedules = Choice(choice=["linear", "constant"])
    assert schedules.holds("linear") and not schedules.holds("cosine") and str(schedules) == "one of linear, constant"


@given(low=st.floats(1e-8, 1), factor=st.floats(1.01, 1e4))
def test_a_range_holds_both_its_bounds(low, factor):
    found = NumberRange(low=low, high=low * factor, log=True)
    assert found.holds(found.low) and found.holds(found.high) and not found.holds(found.high * 1.01)


def test_every_strategy_that_trains_has_a_space_that_holds_its_default_and_is_as_wide_as_the_others(library):
    """Two decades of learning rates each, so that as many trials look as closely everywhere."""
    for family in ("decoder", "encoder"):
        for name in library.names("strategies"):
            spec = library.strategy(name)
            if "learning_rate" not in spec.hyperparameters:  # of those, all that there is to set
                assert spec.space(family).keys() == spec.hyperparameters.keys()
                assert all(shots.log and shots.holds(spec.hyperparameters[of]) for of, shots in spec.space(family).items())
                continue
            (rate,) = spec.space(family).values()
            assert rate.log and rate.high / rate.low == pytest.approx(100)
            of_types = spec.encoder_types if family == "encoder" else spec.types
            assert all(rate.holds(spec.defaults(family, kind)["learning_rate"]) for kind in (None, *of_types))


def test_known_optima_lie_inside(library):
    """docs/method/learning-rates.md: full 2e-5 to 7e-5 and LoRA from 1e-3 on for decoders, 2e-4 and 3e-3 for encoders."""
    known = {("full", "decoder"): (2e-5, 7e-5), ("lora-8bit", "decoder"): (1e-3, 2e-3)}
    known |= {("full", "encoder"): (2e-4, 3e-4), ("lora-8bit", "encoder"): (1e-3, 3e-3)}
    for (name, family), rates in known.items():
        space = library.strategy(name).space(family)["learning_rate"]
        assert all(space.low < rate < space.high for rate in rates)


def test_a_trial_costs_the_whole_budget_where_nothing_is_said():
    assert TuneOptions(trials=4).share == 1.0
