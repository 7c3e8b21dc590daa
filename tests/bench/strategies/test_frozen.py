import pytest
import torch
from transformers import AutoModelForSequenceClassification

from bench.errors import UserError
from bench.modeling.structure import layers


@pytest.mark.parametrize(("frozen", "stay"), [(0.0, 0), (0.5, 2), (2 / 3, 3), (1.0, 4), (1, 1), (4, 4), (0, 0)])
def test_frozen_keeps_embeddings_and_the_bottom(adapted, trainable, decoder, frozen, stay):
    """1 is a layer and 1.0 all of them."""
    _, model = adapted("frozen", decoder, frozen=frozen)
    names = trainable(model)
    assert not any("embed" in name for name in names)
    for number in range(4):
        assert any(f"layers.{number}." in name for name in names) == (number >= stay)


def test_the_default_is_two_thirds(adapted, decoder):
    _, model = adapted("frozen", decoder)
    still = [block for block in layers(model) if not any(p.requires_grad for p in block.parameters())]
    assert len(still) == round(4 * 2 / 3)


@pytest.mark.parametrize("frozen", [5, 1.5])
def test_more_than_there_is_cannot_stay(adapted, decoder, frozen):
    with pytest.raises(UserError, match=f"strategy 'frozen': frozen={frozen}, but the model has 4 layers"):
        adapted("frozen", decoder, frozen=frozen)


def test_no_gradient_enters_what_is_frozen(strategy, encoder):
    """BERT's embeddings have a norm: trained, it would pull gradients through every frozen layer down to itself."""
    model = encoder.load(AutoModelForSequenceClassification, num_labels=2)
    model = strategy("frozen", "encoder", frozen=1).adapt(model, "encoder")
    entered = []
    layers(model)[0].register_full_backward_hook(lambda *_: entered.append(0))
    layers(model)[1].register_full_backward_hook(lambda *_: entered.append(1))
    model(input_ids=torch.tensor([[5, 6, 7]])).logits.sum().backward()
    assert entered == [1]
    assert all(p.grad is None for p in (*model.bert.embeddings.parameters(), *layers(model)[0].parameters()))
    assert all(p.grad is not None for p in layers(model)[1].parameters())
