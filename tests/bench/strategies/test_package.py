import torch

from bench import strategies


def adapted(library, model, name, bits=32, **settings):
    strategy = strategies.load_strategy(library.strategy(name), "decoder", settings)
    return strategy, strategy.adapt(model.load(bits=bits), "decoder")


def trainable(model):
    return {name for name, parameter in model.named_parameters() if parameter.requires_grad}


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
