"""What a type gets from the base class, on a type that adds next to nothing."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.specs.library import Library
from bench.tasks.examples import Example
from bench.tasks.types.base import Options, TaskType, listed
from bench.tokens.augmentation import dropper

RTE = Library().task("rte")


class Echo(TaskType):
    asks = "write"
    values = (str, str)
    gold = frozenset({"label"})

    def read(self, row):
        return self.fields(row), str(row["label"])


ECHO = Echo(RTE, Options())


def test_columns_are_the_gold_ones_and_those_that_any_template_names():
    assert ECHO.columns() == {"label", "premise", "hypothesis"}
    mute = RTE.model_copy(update={"prompt": "{premise}", "instructions": None})
    assert Echo(mute, Options()).columns() == {"label", "premise"}
    assert Echo(mute, Options()).fault() == "field 'instructions' is missing" and ECHO.fault() is None


def test_fields_are_stripped_text_without_the_gold():
    assert ECHO.read({"premise": " a\n", "hypothesis": 7, "label": " x "}) == ({"premise": "a", "hypothesis": "7"}, " x ")
    with pytest.raises(ValueError, match=r"^field 'hypothesis' is empty$"):
        ECHO.read({"premise": "a", "hypothesis": " \n", "label": "x"})


TEXT = st.lists(st.text("abc", min_size=1, max_size=3), min_size=1, max_size=8).map(" ".join)


@given(TEXT, TEXT, st.floats(0, 0.95), st.integers(0, 9))
def test_words_left_out_leave_some_of_every_field_and_the_gold(premise, hypothesis, share, seed):
    example = Example("x", {"premise": premise, "hypothesis": hypothesis}, "entailment")
    thin = ECHO.thinned(example, dropper(share, seed))
    assert (thin.id, thin.gold, thin.fields.keys()) == ("x", "entailment", example.fields.keys())
    for name, text in thin.fields.items():
        words = iter(example.fields[name].split())
        assert text and all(word in words for word in text.split())
    assert share > 0 or thin == example


def test_what_a_type_does_not_say():
    assert (ECHO.candidates(), ECHO.answer_tokens, ECHO.long, ECHO.auto_class) == ([], 0, None, None)
    assert ECHO.untrained(Example("x", {}, "")) is None and ECHO.wrong(Example("x", {}, "")) == ""
    with pytest.raises(NotImplementedError):
        ECHO.outputs()


@pytest.mark.parametrize(("value", "expected"), [("ab", ["ab"]), (["a", "b"], ["a", "b"]), (("a",), ["a"]), (3, [3]), ([], [])])
def test_a_column_may_hold_one_value_or_several(value, expected):
    assert listed(value) == expected
