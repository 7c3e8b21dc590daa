"""--set, from the command line's text to each strategy's nested hyper-parameters."""

import pytest

from bench.errors import UserError
from bench.planning import settings

NAMES = ["full", "lora-8bit"]


def test_a_setting_speaks_to_all_or_to_one():
    given = settings.parse(["learning_rate=1e-3", "full.warmup=0.5", "lora-8bit.peft.r=4", "peft.bias=none"], NAMES)
    assert settings.values_for("full", given) == {"learning_rate": 1e-3, "warmup": 0.5, "peft": {"bias": "none"}}
    assert settings.values_for("lora-8bit", given) == {"learning_rate": 1e-3, "peft": {"r": 4, "bias": "none"}}


def test_what_is_set_inside_of_a_value_for_one_strategy_is_not_set_for_the_next():
    given = settings.parse(["peft={r: 2}", "lora-8bit.peft.r=4"], NAMES)
    assert settings.values_for("lora-8bit", given) == {"peft": {"r": 4}}
    assert settings.values_for("full", given) == {"peft": {"r": 2}}


def test_the_last_one_counts_and_values_are_yaml():
    given = settings.parse(["a=1", "a=[x, {y: 2}]", "b=null", "c=k=v"], NAMES)
    assert settings.values_for("full", given) == {"a": ["x", {"y": 2}], "b": None, "c": "k=v"}


def test_a_number_without_a_point_is_a_number():
    """YAML 1.1 takes it for a word, and PEFT takes a word for a dropout."""
    assert settings.parse(["peft.lora_dropout=5e-2", "a=1e-4"], NAMES) == [
        (None, ["peft", "lora_dropout"], 0.05),
        (None, ["a"], 1e-4),
    ]


def test_a_strategys_name_may_have_dots():
    names = ["lora", "lora-1.5", "lora-1"]
    assert settings.parse(["lora-1.5.peft.r=2", "lora.a=1"], names) == [("lora-1.5", ["peft", "r"], 2), ("lora", ["a"], 1)]


def test_a_strategys_name_alone_is_a_key():
    assert settings.parse(["full=1"], NAMES) == [(None, ["full"], 1)]


def test_nothing_is_set_inside_a_single_value():
    with pytest.raises(UserError, match=r"--set peft\.r: 'peft' was set to a single value before"):
        settings.values_for("full", settings.parse(["peft=1", "peft.r=2"], NAMES))


@pytest.mark.parametrize("text", ["learning_rate", "=1", "a=["])
def test_what_is_no_setting_gets_a_sentence(text):
    with pytest.raises(UserError, match="--set "):
        settings.parse([text], NAMES)
