"""--axis: names and values, and what they ask for at one point."""

import pytest

from bench.errors import UserError
from bench.planning.axes import Axis, at_values, axes_of, parse_axes, with_numbers
from bench.specs.library import suites_for


def test_values_are_kept_as_they_were_written():
    axes = parse_axes(["peft.r=2, 4", "learning_rate=1e-4,1e-3"])
    assert axes == [Axis("peft.r", ("2", "4")), Axis("learning_rate", ("1e-4", "1e-3"))]
    assert str(axes[0]) == "peft.r=2,4"


def test_a_comma_within_brackets_belongs_to_the_value():
    (axis,) = parse_axes(["peft.target_modules=[q,v],all-linear,{a: 1, b: 2}"])
    assert axis.values == ("[q,v]", "all-linear", "{a: 1, b: 2}")


@pytest.mark.parametrize(
    "texts", [[], ["a=1,2", "b=1,2", "c=1,2"], ["a=1,2", "a=3,4"], ["a"], ["=1,2"], ["a=1"], ["a=1,1"], ["a=1,,2"], ["a=1,2,"]]
)
def test_what_cannot_be_swept_is_refused(texts):
    with pytest.raises(UserError, match="--axis"):
        parse_axes(texts)


def test_a_suites_own_numbers_are_told_from_settings():
    axes = parse_axes(["budget=64,128", "peft.r=2,4"])
    assert at_values(axes, ("64", "4")) == ({"budget": "64"}, ["peft.r=4"])
    assert at_values(axes[1:], ("2",)) == ({}, ["peft.r=2"])


def test_axes_of_a_suite_are_those_of_the_command_line():
    own = {"peft.r": [2, 4], "learning_rate": [1e-4, 1.5e-3]}
    assert axes_of(own) == parse_axes(["peft.r=2,4", "learning_rate=0.0001,0.0015"])
    (axis,) = axes_of({"peft.target_modules": [["q", "v"], "all-linear", None]})
    assert axis.values == ('["q", "v"]', "all-linear", "null")
    (axis,) = axes_of({"peft.target_modules": [".*q,.*v", "all-linear"]})
    assert axis.values == (".*q,.*v", "all-linear")  # a comma of a value is none between values
    with pytest.raises(UserError, match="two different ones"):
        axes_of({})
    with pytest.raises(UserError, match="each once"):
        axes_of({"peft.r": [2, "2"]})


def test_numbers_go_into_the_suite_and_are_checked_as_those_of_its_file():
    ((_, suite),) = suites_for("sentiment")
    assert with_numbers(suite, {}) is suite
    other = with_numbers(suite, {"batch": "4", "max_length": "64"})
    assert (other.batch, other.max_length, other.tasks) == (4, 64, suite.tasks)
    for wrong in ("0", "many", "true"):
        with pytest.raises(UserError, match="--axis: field 'batch'"):
            with_numbers(suite, {"batch": wrong})
