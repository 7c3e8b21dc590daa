from bench import strategies


def test_instructions_differ_from_full_training_in_the_wording_alone(library, decoder):
    spec = library.strategy("instruction")
    strategy = strategies.load_strategy(spec, "decoder", {})
    assert (strategy.wording.style, strategy.wording.shots, strategy.trains) == ("instruction", 0, True)
    assert all(parameter.requires_grad for parameter in strategy.adapt(decoder.load(), "decoder").parameters())
    assert strategy.shares("sst2", {"sst2": 5}, False, 0.5) == {"sst2": 1.0}
