"""--axis: names and values, and what they ask for at one point."""

import pytest

from bench.errors import UserError
from bench.planning.axes import Axis, at_values, parse_axes


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


def test_the_budget_is_the_suites_own_and_all_else_a_setting():
    axes = parse_axes(["budget=64,128", "peft.r=2,4"])
    assert at_values(axes, ("64", "4")) == ("64", ["peft.r=4"])
    assert at_values(axes[1:], ("2",)) == (None, ["peft.r=2"])
