import pytest
import torch
from torch import nn

from bench import strategies
from bench.modeling.structure import layers


def adapted(library, model, name, bits=32, **settings):
    strategy = strategies.load_strategy(library.strategy(name), "decoder", settings)
    return strategy, strategy.adapt(model.load(bits=bits), "decoder")


def trainable(model):
    return {name for name, parameter in model.named_parameters() if parameter.requires_grad}


def test_full_trains_everything(library, decoder):
    _, model = adapted(library, decoder, "full")
    assert trainable(model) == {name for name, _ in model.named_parameters()}


@pytest.mark.parametrize(("share", "stay"), [(0.0, 0), (0.5, 2), (2 / 3, 3), (1.0, 4)])
def test_frozen_keeps_embeddings_and_the_bottom(library, decoder, share, stay):
    _, model = adapted(library, decoder, "frozen", frozen=share)
    names = trainable(model)
    assert not any("embed" in name for name in names)
    for number in range(4):
        assert any(f"layers.{number}." in name for name in names) == (number >= stay)


def test_lora_trains_adapters_alone_and_starts_as_the_base(library, decoder):
    strategy, model = adapted(library, decoder, "lora-8bit", bits=8)
    assert strategy.bits == 8
    assert all("lora_" in name for name in trainable(model))
    ids = torch.tensor([[5, 6, 7, 8]])
    with torch.no_grad(), model.disable_adapter():
        off = model(ids).logits
    with torch.no_grad():
        assert torch.equal(model(ids).logits, off)
    norms = [m for m in model.modules() if "Norm" in type(m).__name__]
    assert norms and all(norm.weight.dtype == torch.float32 for norm in norms)
    assert model(ids).logits.dtype == torch.float32


def test_saved_state_is_what_was_trained(library, decoder):
    for name, bits in (("full", 32), ("frozen", 32), ("lora-8bit", 8)):
        strategy, model = adapted(library, decoder, name, bits=bits)
        saved = sum(tensor.numel() for tensor in strategy.trained_state(model).values())
        assert saved == sum(p.numel() for p in model.parameters() if p.requires_grad)


def test_the_default_of_frozen_is_two_thirds(library, decoder):
    _, model = adapted(library, decoder, "frozen")
    still = [block for block in layers(model) if not any(p.requires_grad for p in block.parameters())]
    assert len(still) == round(4 * 2 / 3)
    assert isinstance(model, nn.Module)


def test_learning_rates_come_from_the_suites_files(library):
    rates = {
        n: strategies.load_strategy(library.strategy(n), "decoder", {}).hyperparameters.learning_rate
        for n in ("full", "lora-8bit")
    }
    assert rates["lora-8bit"] >= 5 * rates["full"]  # LoRA without regret: about ten times full fine-tuning's
