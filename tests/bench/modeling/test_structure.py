import pytest
from torch import nn
from transformers import AutoModelForSequenceClassification

from bench.errors import UserError
from bench.modeling.structure import layers


def test_layers_are_the_stack(decoder, encoder):
    assert len(layers(decoder.load())) == 4
    assert len(layers(encoder.load(AutoModelForSequenceClassification))) == 2
    with pytest.raises(UserError, match="has no stack of layers"):
        layers(nn.Linear(2, 2))
