import pytest

from bench.errors import UserError
from bench.probes.templates import filled

ROW = {"premise": "It rained. ", "choices": ["The street", "A dog"], "choice": "The street"}


def test_fields_are_made_of_columns_and_stand_beside_them():
    made = filled(ROW, {"text": "{premise:unstopped}, so {choice:uncapitalised}", "both": ["{choice}", "{premise}!"]})
    assert made == ROW | {"text": "It rained, so the street", "both": ["The street", "It rained. !"]}


def test_a_field_may_take_a_columns_place():
    assert filled(ROW, {"premise": "{premise:unstopped}"})["premise"] == "It rained"


def test_an_unknown_change_comes_with_the_nearest():
    with pytest.raises(UserError, match="unknown change of a column 'unstoped'; did you mean unstopped"):
        filled(ROW, {"text": "{premise:unstoped}"})
