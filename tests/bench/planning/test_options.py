"""What is asked for at each point of a sweep."""

from bench.planning.axes import parse_axes
from bench.planning.options import PlanOptions, sweep_points


def test_without_axes_there_is_one_point():
    asked = PlanOptions("sentiment", budget="7", settings=["batch=2"])
    assert sweep_points(asked) == {(): asked}


def test_every_pair_of_values_is_a_point_with_its_own_settings():
    asked = PlanOptions("sentiment", settings=["label_smoothing=0.1"], axes=parse_axes(["peft.r=2,4", "budget=64,128"]))
    points = sweep_points(asked)
    assert list(points) == [("2", "64"), ("2", "128"), ("4", "64"), ("4", "128")]
    assert all(not point.axes for point in points.values())
    assert points["4", "64"].settings == ["label_smoothing=0.1", "peft.r=4"] and points["4", "64"].budget == "64"


def test_a_suites_own_number_is_no_setting():
    (small, _) = sweep_points(PlanOptions("sentiment", numbers={"batch": "2"}, axes=parse_axes(["max_length=64,128"]))).values()
    assert small.numbers == {"batch": "2", "max_length": "64"} and not small.settings and small.budget is None
