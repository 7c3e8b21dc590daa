"""Answers as people read them."""

import json

from reports.page.answer_text import LONGEST_ANSWER, readable, tags_of


def test_tags_become_the_names_that_they_mark():
    tags = json.dumps(["B-PER", "I-PER", "O", "B-ORG"])
    assert readable(tags, "Ann Lee joined Acme") == "PER: Ann Lee; ORG: Acme"
    assert readable(tags, "Ann Lee") == "PER: Ann Lee; ORG: words 4 to 4"
    assert readable(json.dumps(["O", "O"]), "a b") == "no name"


def test_accepted_answers_stand_side_by_side_and_text_as_it_is():
    assert readable(json.dumps(["Alps", "the Alps"]), "") == "Alps / the Alps"
    assert (
        readable("positive", "") == "positive"
        and readable("[not JSON", "") == "[not JSON"
        and readable("[1, 2]", "") == "[1, 2]"
    )
    assert tags_of("positive") is None and tags_of('["Bob"]') is None


def test_long_answers_are_cut():
    assert len(readable("x" * 999, "")) == LONGEST_ANSWER
