import pytest

from bench import strategies
from bench.errors import UserError
from bench.specs.wording import Wording


@pytest.mark.parametrize("family", ["decoder", "encoder"])
def test_the_base_is_asked_plainly_and_without_examples(strategy, family):
    chosen = strategy("zero-shot", family)
    assert not chosen.trains and chosen.wording == Wording() and chosen.bits == 32
    assert not chosen.hyperparameters.model_dump()


def test_it_has_nothing_to_set(library):
    spec = library.strategy("zero-shot")
    # What the suite says of it must be meant; --set speaks to all strategies, and this one takes nothing of it.
    assert not strategies.load_strategy(spec, "decoder", {"learning_rate": 1e-3}).hyperparameters.model_dump()
    with pytest.raises(UserError, match=r"strategy 'zero-shot' with the suite's hyperparameters: .*learning_rate"):
        strategies.load_strategy(spec, "decoder", {}, {"learning_rate": 1e-3})
