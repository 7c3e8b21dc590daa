from bench.specs.strategy import StrategySpec


def test_an_encoders_own_values_lie_on_top():
    values = {"learning_rate": 1e-5, "warmup": 0.1}
    spec = StrategySpec(name="s", description="", kind="full", hyperparameters=values, encoder={"learning_rate": 1e-3})
    assert spec.defaults("decoder") == values
    assert spec.defaults("encoder") == {"learning_rate": 1e-3, "warmup": 0.1}
