"""What every module may take for granted of an example, on the pinned tasks' own."""

from dataclasses import FrozenInstanceError

import pytest

from bench.tasks import splits
from bench.tasks.examples import Example

GOLD = {"sst2": str, "film-plots": str, "sec-entities": tuple, "squad": tuple}


@pytest.mark.parametrize("name", GOLD)
def test_examples_are_text_with_a_name_of_their_own(library, name):
    loaded = splits.load_splits(library.task(name))
    examples = [*loaded.train, *loaded.validation, *loaded.test]
    assert len({example.id for example in examples}) == len(examples)
    for example in examples:
        assert all(isinstance(text, str) and text == text.strip() != "" for text in example.fields.values())
        assert isinstance(example.gold, GOLD[name])
        assert all(isinstance(part, str) for part in example.gold)


def test_an_example_stays_what_it_is():
    """All strategies read the same objects."""
    example = Example("train-1", {"text": "good"}, "positive")
    with pytest.raises(FrozenInstanceError):
        example.gold = "negative"
