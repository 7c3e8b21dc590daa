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
