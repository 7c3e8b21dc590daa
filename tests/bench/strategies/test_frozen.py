import pytest
from torch import nn

from bench import strategies
from bench.errors import UserError
from bench.modeling.structure import layers


def adapted(library, model, name, bits=32, **settings):
    strategy = strategies.load_strategy(library.strategy(name), "decoder", settings)
    return strategy, strategy.adapt(model.load(bits=bits), "decoder")


def trainable(model):
    return {name for name, parameter in model.named_parameters() if parameter.requires_grad}


@pytest.mark.parametrize(("share", "stay"), [(0.0, 0), (0.5, 2), (2 / 3, 3), (1.0, 4)])
def test_frozen_keeps_embeddings_and_the_bottom(library, decoder, share, stay):
    _, model = adapted(library, decoder, "frozen", frozen=share)
    names = trainable(model)
    assert not any("embed" in name for name in names)
    for number in range(4):
        assert any(f"layers.{number}." in name for name in names) == (number >= stay)


def test_the_default_of_frozen_is_two_thirds(library, decoder):
    _, model = adapted(library, decoder, "frozen")
    still = [block for block in layers(model) if not any(p.requires_grad for p in block.parameters())]
    assert len(still) == round(4 * 2 / 3)
    assert isinstance(model, nn.Module)


@pytest.mark.parametrize("depth", [5, 1.5])
def test_more_layers_than_there_are_cannot_stay(library, decoder, depth):
    strategy = strategies.load_strategy(library.strategy("frozen"), "decoder", {"frozen": depth})
    with pytest.raises(UserError, match=rf"frozen={depth}, but the model has 4 layers; a share is at most 1\.0"):
        strategy.adapt(decoder.load(), "decoder")
