import pytest

from bench import strategies
from bench.errors import UserError


def test_shots_are_a_wording_and_nothing_trains(library):
    strategy = strategies.load_strategy(library.strategy("few-shot"), "decoder", {"shots": 3})
    assert (strategy.wording.style, strategy.wording.shots, strategy.trains) == ("plain", 3, False)


@pytest.mark.parametrize("shots", [0, "many"])
def test_there_is_at_least_one(library, shots):
    with pytest.raises(UserError, match="strategy 'few-shot': field 'shots'"):
        strategies.load_strategy(library.strategy("few-shot"), "decoder", {"shots": shots})
