"""Spans of words by hand, and the medical file against a search for its quotes in the characters of the text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.tasks.spans import entities, find_name, find_words, quoted, sentence_bounds, tagged


@given(st.lists(st.integers(1, 3), max_size=6))
def test_tags_and_spans_are_each_others_inverse(lengths):
    spans, place = [], 0
    for length in lengths:
        spans.append(("PER" if length % 2 else "ORG", place, place + length))
        place += length + length % 2
    assert entities(tagged(place, spans)) == spans


def test_an_inside_tag_that_continues_nothing_begins_an_entity():
    assert entities(["I-PER", "I-PER", "O", "B-ORG", "I-PER"]) == [("PER", 0, 2), ("ORG", 3, 4), ("PER", 4, 5)]


def test_the_first_occurrence_at_or_after_a_word():
    words = ["a", "b", "a", "b", "c"]
    assert [find_words(words, ["a", "b"], start) for start in (0, 1, 3)] == [(0, 2), (2, 4), None]


def test_quotes_stand_at_their_first_free_place_and_touch_whole_words():
    text = "Patients with asthma, 12 men. Then patients with asthma; men"
    spans = quoted(text, [("P", "men"), ("P", " with asthma"), ("P", "with asthma"), ("P", "asthma")])
    # `asthma` stands inside others alone.
    assert spans == [("P", 1, 3), ("P", 4, 5), ("P", 7, 9)]
    with pytest.raises(ValueError, match="entity 'women' is not in the text"):
        quoted(text, [("P", "women")])


def test_a_name_is_found_where_it_stands_by_itself():
    text = "Two treatments for men, and women"
    assert quoted(text, [("P", "men")]) == [("P", 3, 4)]
    assert quoted(text, [("P", "men"), ("P", "men")]) == [("P", 1, 2), ("P", 3, 4)]
    assert quoted(text, [("P", "treat")]) == [("P", 1, 2)]


def test_sentences_end_before_a_capital_a_number_or_a_bracket():
    text = "A title\n\nThe dose was 1.5 mg vs. 2 mg i.e. more. Was it (p < .05)? 20 men said so. [ABC]"
    words = text.split()
    found = [" ".join(words[start:end]) for start, end in sentence_bounds(text)]
    assert found == ["A title", "The dose was 1.5 mg vs.", "2 mg i.e. more.", "Was it (p < .05)?", "20 men said so.", "[ABC]"]


@given(st.text("aB1.? \n", max_size=40))
def test_sentences_are_all_words_in_order(text):
    bounds = list(sentence_bounds(text))
    assert [place for start, end in bounds for place in range(start, end)] == list(range(len(text.split())))


@pytest.mark.parametrize(
    ("text", "name", "found"),
    [
        ("seen by Ann, here", "(Ann)", (2, 3)),
        ("at 33 mmHg.", "`33 mmHg`", (1, 3)),
        ("written in C#", "C++", None),
        ("रामी आया", "रामे", None),
        ("about $5", "5", None),
    ],
)
def test_marks_around_a_name_do_not_matter_and_those_of_its_letters_do(text, name, found):
    words = text.split()
    assert find_name(words, name, [False] * len(words), 0) == found
