"""Tags of any scheme become BIO, and their words are found."""

import json
from itertools import count

import pytest
from own_files import sentences

from bench.drafting.ner import ner_roles, tag_column
from bench.drafting.table import opened
from bench.drafting.wishes import Wishes
from bench.errors import UserError

NUMBER, NOTHING = count(), Wishes()


def roles(folder, changed, given=NOTHING):
    path = folder / f"{next(NUMBER)}.jsonl"  # a file is read once a process
    rows = [{"tokens": [w for w, _ in each], "tags": [changed[t] for _, t in each]} for each in sentences()]
    path.write_text("\n".join(map(json.dumps, rows)))
    table = opened(str(path), given)
    return ner_roles(table, given, tag_column(table, given))


def test_schemes_are_read_as_bio(tmp_path):
    bio = {"O": "O", "B-PER": "B-PER", "I-PER": "I-PER", "B-LOC": "B-LOC"}
    assert roles(tmp_path, bio).values == {} and roles(tmp_path, bio).labels == ["LOC", "PER"]
    bioes = roles(tmp_path, bio | {"I-PER": "E-PER", "B-LOC": "S-LOC"})
    assert bioes.values == {"O": "O", "B-PER": "B-PER", "E-PER": "I-PER", "S-LOC": "B-LOC"}
    assert "read as BIO" in next(guess.why for guess in bioes.guesses if guess.about == "tags")
    bare = roles(tmp_path, {"O": "O", "B-PER": "PER", "I-PER": "PER", "B-LOC": "LOC"})
    assert bare.values == {"O": "O", "PER": "I-PER", "LOC": "I-LOC"} and bare.columns == {"words": "tokens", "tags": "tags"}
    numbers = Wishes().with_options(type="ner", label="tags", labels="0=O,1=B-PER,2=I-PER,3=B-LOC")
    assert roles(tmp_path, {"O": "0", "B-PER": "1", "I-PER": "2", "B-LOC": "3"}, numbers).labels == ["LOC", "PER"]
    types = Wishes().with_options(type="ner", label="tags", labels="0=O,1=PER,3=LOC")
    told = roles(tmp_path, {"O": "0", "B-PER": "1", "I-PER": "1", "B-LOC": "3"}, types)
    assert told.values == {"0": "O", "1": "I-PER", "3": "I-LOC"} and told.labels == ["LOC", "PER"]
    why = next(guess.why for guess in told.guesses if guess.about == "tags")
    assert why == "as you said: tags without B- and I-: neighbours are one entity"


def test_types_that_differ_in_their_case_alone_are_answered_as_they_are(tmp_path):
    found = roles(tmp_path, {"O": "O", "B-PER": "B-Per", "I-PER": "I-Per", "B-LOC": "B-PER"})
    assert found.answers == {"PER": "PER", "Per": "Per"}


def test_numbers_for_each_word_are_tags_by_their_name(tmp_path):
    rows = [{"tokens": ["a", "b"], "ner_tags": [0, i % 3], "pos_tags": [i % 2, 1], "mask": [1, 1]} for i in range(9)]
    for kept, found in ((4, "ner_tags"), (1, None)):
        path = tmp_path / f"{next(NUMBER)}.jsonl"
        path.write_text("\n".join(json.dumps(dict(list(row.items())[:kept]) | {"mask": [1, 1]}) for row in rows))
        column = tag_column(opened(str(path), NOTHING), NOTHING)
        assert (column and column.name) == found
    with pytest.raises(
        UserError, match=r"the tags of column 'tags' are numbers \(0, 1, 2, 3\); say what they mean with --labels"
    ):
        roles(tmp_path, {"O": 0, "B-PER": 1, "I-PER": 2, "B-LOC": 3})


def test_a_label_that_is_named_and_is_no_tag_makes_no_entities(tmp_path):
    path = tmp_path / "a.jsonl"
    rows = [
        {"tokens": [w for w, _ in each], "ner_tags": [t for _, t in each], "topic": "ab"[len(each) % 2]} for each in sentences()
    ]
    path.write_text("\n".join(map(json.dumps, rows)))
    table = opened(str(path), NOTHING)
    assert tag_column(table, NOTHING).name == tag_column(table, Wishes(label="ner_tags")).name == "ner_tags"
    assert tag_column(table, Wishes(label="topic")) is None
    assert tag_column(table, Wishes(label="topic", type="ner")).name == "topic"


def test_what_is_missing_is_told(tmp_path):
    with pytest.raises(UserError, match="an entity task needs a column of tags such as O, B-PER"):
        roles(tmp_path, dict.fromkeys(("O", "B-PER", "I-PER", "B-LOC"), "O"), Wishes(type="ner"))
    with pytest.raises(UserError, match="--labels says nothing of the tag 'I-PER'"):
        said = Wishes().with_options(type="ner", label="tags", labels="O=O,B-PER=B-PER,B-LOC=B-LOC")
        roles(tmp_path, {tag: tag for tag in ("O", "B-PER", "I-PER", "B-LOC")}, said)
