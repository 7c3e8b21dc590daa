"""A strategy from its file, the suite and the command line, and what holds for each."""

import pytest

from bench import strategies
from bench.errors import UserError


def test_saved_state_is_what_was_trained(adapted, decoder):
    for name, bits in (("full", 32), ("frozen", 32), ("lora-8bit", 8)):
        strategy, model = adapted(name, decoder, bits=bits)
        saved = sum(tensor.numel() for tensor in strategy.trained_state(model).values())
        assert saved == sum(p.numel() for p in model.parameters() if p.requires_grad)


def test_learning_rates_come_from_the_suites_files(library):
    rates = {
        n: strategies.load_strategy(library.strategy(n), "decoder", {}).hyperparameters.learning_rate
        for n in ("full", "lora-8bit")
    }
    assert rates["lora-8bit"] >= 5 * rates["full"]  # LoRA without regret: about ten times full fine-tuning's


def test_another_peft_type_starts_its_mapping_anew(library):
    spec = library.strategy("lora-8bit")
    peft = strategies.load_strategy(spec, "decoder", {"peft": {"peft_type": "IA3"}}).hyperparameters.peft
    assert peft == {"peft_type": "IA3"}
    kept = strategies.load_strategy(spec, "decoder", {"peft": {"peft_type": "LORA", "use_dora": True}}).hyperparameters.peft
    assert kept == spec.hyperparameters["peft"] | {"use_dora": True}


def test_other_values_reach_into_nested_hyperparameters_and_leave_the_rest(library):
    strategy = strategies.load_strategy(library.strategy("lora-8bit"), "decoder", {})
    changed = strategies.with_values(strategy, {"learning_rate": 2e-3, "peft.r": 4})
    assert (changed.name, changed.hyperparameters.learning_rate, changed.hyperparameters.peft["r"]) == ("lora-8bit", 2e-3, 4)
    assert changed.hyperparameters.peft["target_modules"] == "all-linear" and strategy.hyperparameters.peft["r"] == 8
    assert strategies.value_of(changed, "peft.r") == 4 and strategies.value_of(changed, "peft.rank") is None
    rehearsal = strategies.load_strategy(library.strategy("rehearsal"), "decoder", {})
    assert strategies.with_values(rehearsal, {}).hyperparameters == rehearsal.hyperparameters


def test_a_value_that_is_not_allowed_gets_a_sentence(library):
    strategy = strategies.load_strategy(library.strategy("full"), "decoder", {})
    with pytest.raises(UserError, match=r"strategy 'full': field 'learning_rat' is not known"):
        strategies.with_values(strategy, {"learning_rat": 1e-3})
