"""How a base is rounded: as its user had it, and as it is trained."""

from dataclasses import replace

from bench.measuring.rounding import Rounding


def test_a_forward_pass_in_bf16_rounds_the_base_too(session, device):
    in_bf16 = replace(device, precision="bf16")
    assert Rounding.of_reference(session.run) == Rounding.in_training(session.run, device) == Rounding(32, cast=False)
    assert Rounding.in_training(session.run, in_bf16) == Rounding(32, cast=True)


def test_a_strategy_and_a_model_name_their_bits(rounded, device):
    assert (Rounding.of_reference(rounded.run).bits, Rounding.in_training(rounded.run, device).bits) == (32, 8)
    in_16_bit = replace(rounded.run, model=replace(rounded.run.model, reference_precision="bf16"))
    assert Rounding.of_reference(in_16_bit) == Rounding(16, cast=False)
