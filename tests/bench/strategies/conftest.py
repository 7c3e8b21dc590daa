"""A strategy by its built-in file, and a model that it has adapted."""

import pytest

from bench import strategies


@pytest.fixture
def strategy(library):
    def made(name, family="decoder", **settings):
        return strategies.load_strategy(library.strategy(name), family, settings)

    return made


@pytest.fixture
def adapted(strategy):
    def made(name, model, bits=32, **settings):
        chosen = strategy(name, model.family, **settings)
        return chosen, chosen.adapt(model.load(bits=bits), model.family)

    return made


@pytest.fixture
def trainable():
    """Names of the parameters that train."""
    return lambda model: {name for name, parameter in model.named_parameters() if parameter.requires_grad}
