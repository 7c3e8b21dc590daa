from bench.specs.strategy import StrategySpec


def test_an_encoders_nested_value_keeps_the_others_beside_it():
    """As one of `--set` does: PEFT's own defaults would silently train other layers."""
    peft = {"peft_type": "LORA", "r": 8, "target_modules": "all-linear"}
    values = {"learning_rate": 1e-5, "peft": peft}
    spec = StrategySpec(name="s", description="", kind="adapter", hyperparameters=values, encoder={"peft": {"r": 4}})
    assert spec.defaults("decoder") == values
    assert spec.defaults("encoder") == values | {"peft": peft | {"r": 4}}


def test_an_encoders_own_values_lie_on_top():
    values = {"learning_rate": 1e-5, "warmup": 0.1}
    spec = StrategySpec(name="s", description="", kind="full", hyperparameters=values, encoder={"learning_rate": 1e-3})
    assert spec.defaults("decoder") == values
    assert spec.defaults("encoder") == {"learning_rate": 1e-3, "warmup": 0.1}


def test_tasks_of_a_type_have_values_of_their_own():
    """Planted fault: those of decoders reached encoders, whose rates are others."""
    peft = {"peft_type": "LORA", "r": 8}
    spec = StrategySpec(
        name="s",
        description="",
        kind="adapter",
        hyperparameters={"learning_rate": 1e-5, "peft": peft},
        types={"qa": {"learning_rate": 1e-4, "peft": {"r": 2}}},
        encoder={"learning_rate": 1e-3},
        encoder_types={"ner": {"learning_rate": 5e-3}},
    )
    assert spec.defaults("decoder") == spec.defaults("decoder", "ner") == {"learning_rate": 1e-5, "peft": peft}
    assert spec.defaults("decoder", "qa") == {"learning_rate": 1e-4, "peft": peft | {"r": 2}}
    assert spec.defaults("encoder") == spec.defaults("encoder", "qa") == {"learning_rate": 1e-3, "peft": peft}
    assert spec.defaults("encoder", "ner") == {"learning_rate": 5e-3, "peft": peft}
