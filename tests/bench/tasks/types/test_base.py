"""What all task types share: fields from rows, words left out of what is read."""

import pytest

from bench.tasks import types
from bench.tasks.examples import Example
from bench.tasks.types.base import listed


def test_fields_are_all_columns_but_the_gold_ones(sst2):
    kind = types.task_type(sst2)
    assert kind.fields({"text": " fine ", "group": "g", "label": "positive"}) == {"text": "fine", "group": "g"}
    with pytest.raises(ValueError, match="field 'group' is empty"):
        kind.fields({"text": "fine", "group": " ", "label": "positive"})
    assert kind.columns() == {"text", "label"}


def test_thinning_leaves_words_out_of_every_field_and_keeps_the_rest(sst2):
    example = Example("7", {"text": "a b  c", "title": "d"}, "positive")
    thinned = types.task_type(sst2).thinned(example, lambda words: range(0, len(words), 2))
    assert thinned == Example("7", {"text": "a c", "title": "d"}, "positive")


@pytest.mark.parametrize(("value", "values"), [("a b", ["a b"]), (["a", "b"], ["a", "b"]), (("a",), ["a"]), ([], []), (3, [3])])
def test_a_column_holds_one_value_or_several(value, values):
    assert listed(value) == values
