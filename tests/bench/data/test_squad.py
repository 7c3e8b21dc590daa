"""SQuAD's JSON, through the formats that call the parser."""

import json

from parsing import read

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
    (where, first), (other, second) = read("dev-v2.0.json", json.dumps(SQUAD), kind="squad")
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
    content = json.loads(json.dumps(SQUAD))
    del content["data"][0]["paragraphs"][0]["qas"][0]["is_impossible"]
    assert read("x.json", json.dumps(content), kind="squad")[0][1]["is_impossible"] == "false"
