import pytest

from bench.specs.wording import Wording


@pytest.mark.parametrize("family", ["decoder", "encoder"])
def test_it_is_full_training_in_other_words(strategy, family):
    instruction, full = strategy("instruction", family), strategy("full", family)
    assert instruction.wording == Wording(style="instruction", shots=0)
    assert full.wording == Wording(style="plain", shots=0)
    shared = full.hyperparameters.model_dump(exclude={"learning_rate"})
    assert instruction.hyperparameters.model_dump(exclude={"learning_rate"}) == shared


def test_every_weight_trains(adapted, trainable, decoder):
    _, model = adapted("instruction", decoder)
    assert trainable(model) == {name for name, _ in model.named_parameters()}
