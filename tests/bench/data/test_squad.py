"""Questions of SQuAD's JSON, by hand; whole published files are read in test_sources.py."""

import copy

import pytest

from bench.data import squad
from bench.errors import FormatError

SQUAD = {
    "version": "v2.0",
    "data": [
        {
            "title": "Normans",
            "paragraphs": [
                {
                    "context": "The Normans were in Normandy, a region in France.",
                    "qas": [
                        {
                            "id": "q1",
                            "question": "Where is Normandy?",
                            "answers": [
                                {"text": "France", "answer_start": 42},
                                {"text": "in France", "answer_start": 39},
                                {"text": "France", "answer_start": 42},
                            ],
                            "is_impossible": False,
                        },
                        {"id": "q2", "question": "Who?", "answers": [], "is_impossible": True, "plausible_answers": []},
                    ],
                }
            ],
        }
    ],
}


def test_squad_is_one_record_a_question():
    (where, first), (other, second) = squad.questions(SQUAD)
    assert (where, other) == ("data[0].paragraphs[0].qas[0]", "data[0].paragraphs[0].qas[1]")
    paragraph = SQUAD["data"][0]["paragraphs"][0]
    assert first == {
        "id": "q1",
        "title": "Normans",
        "context": paragraph["context"],
        "question": "Where is Normandy?",
        "answers": ["France", "in France"],
        "answer_starts": ["42", "39"],
        "is_impossible": "false",
    }
    assert all(first["context"][int(s) :].startswith(a) for a, s in zip(first["answers"], first["answer_starts"], strict=True))
    assert (second["answers"], second["is_impossible"]) == ([], "true")


def test_squad_version_1_has_no_impossible_questions():
    content = copy.deepcopy(SQUAD)
    del content["data"][0]["paragraphs"][0]["qas"][0]["is_impossible"]
    assert next(squad.questions(content))[1]["is_impossible"] == "false"


def test_an_answer_given_twice_stands_where_it_was_given_first():
    content = copy.deepcopy(SQUAD)
    question = content["data"][0]["paragraphs"][0]["qas"][0]
    question["answers"] = [{"text": "Norman", "answer_start": 4}, {"text": "Norman", "answer_start": 20}]
    _, found = next(squad.questions(content))
    assert (found["answers"], found["answer_starts"]) == (["Norman"], ["4"])


PLACE = r"^data\[0\]\.paragraphs\[0\]"


@pytest.mark.parametrize(
    ("place", "value", "sentence"),
    [
        (("context",), 3, PLACE + ": field 'context' should be a text, but is 3$"),
        (("qas",), {}, PLACE + r": field 'qas' should be a list, but is \{\}$"),
        (("qas", 0), "q", PLACE + r"\.qas\[0\]: expected an object, found str$"),
        (("qas", 0, "is_impossible"), "no", PLACE + r"\.qas\[0\]: field 'is_impossible' should be true or false"),
        (("qas", 0, "answers", 1, "answer_start"), "9", PLACE + r"\.qas\[0\]\.answers\[1\]: .* should be a whole number"),
        (("qas", 0, "answers", 1), {"text": "x"}, PLACE + r".*\.answers\[1\]: no field 'answer_start'; there are: text$"),
    ],
)
def test_a_fault_is_told_with_its_path(place, value, sentence):
    content = copy.deepcopy(SQUAD)
    part = content["data"][0]["paragraphs"][0]
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    with pytest.raises(FormatError, match=sentence):
        list(squad.questions(content))
