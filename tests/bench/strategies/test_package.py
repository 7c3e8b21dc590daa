"""A strategy from its file, the suite and the command line, and what holds for each."""

from bench import strategies


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
