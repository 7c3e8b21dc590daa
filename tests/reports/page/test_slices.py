"""The parts that a test set is cut into."""

import json

import pandas as pd

from reports.page.slices import slices_of


def parts(found):
    return [found["names"][int(digit, 36)] for digit in found["of"]]


def test_labels_and_thirds_of_length():
    texts = ["a " * count for count in (1, 2, 3, 4, 5, 6)]
    found = slices_of(pd.DataFrame({"gold": list("ppnnpp"), "text": texts}))
    assert found.keys() == {"label", "length"} and parts(found["label"]) == list("ppnnpp")
    # Planted fault: thirds end at 2.67 and 4.33 words, and the first was called up to 3 words, which the second begins with.
    assert parts(found["length"])[::2] == ["up to 2 words", "3 to 4 words", "above 4 words"]
    assert parts(found["length"])[::2] == parts(found["length"])[1::2]


def test_what_does_not_divide_is_no_slice():
    assert slices_of(pd.DataFrame({"gold": ["p", "p"], "text": ["a b", "a b"]})) == {}
    assert slices_of(pd.DataFrame({"gold": [f"answer {number}" for number in range(20)]})) == {}


def test_mentions_are_seen_unseen_or_both():
    golds = [["B-PER", "O", "B-PER"], ["B-PER", "I-PER", "O"], ["B-PER", "O", "O"], ["O", "O", "O"]]
    seen = [[[0, 1]], [[0, 2]], [[1, 2]], []]
    found = slices_of(pd.DataFrame({"gold": map(json.dumps, golds), "seen": map(json.dumps, seen)}))
    assert parts(found["mentions"]) == [
        "some mentions unseen",
        "all mentions seen in training",
        "no mention seen",
        "no mention",
    ]
