from bench import strategies


def adapted(library, model, name, bits=32, **settings):
    strategy = strategies.load_strategy(library.strategy(name), "decoder", settings)
    return strategy, strategy.adapt(model.load(bits=bits), "decoder")


def trainable(model):
    return {name for name, parameter in model.named_parameters() if parameter.requires_grad}


def test_full_trains_everything(library, decoder):
    _, model = adapted(library, decoder, "full")
    assert trainable(model) == {name for name, _ in model.named_parameters()}


def test_saved_state_is_what_was_trained(library, decoder):
    for name, bits in (("full", 32), ("frozen", 32), ("lora-8bit", 8)):
        strategy, model = adapted(library, decoder, name, bits=bits)
        saved = sum(tensor.numel() for tensor in strategy.trained_state(model).values())
        assert saved == sum(p.numel() for p in model.parameters() if p.requires_grad)
