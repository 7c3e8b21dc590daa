"""What two runs are held against each other by."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.page import items
from reports.rows.rows import aggregate


def unpacked(text, count):
    return np.unpackbits(np.frombuffer(bytes.fromhex(text), dtype=np.uint8))[:count].astype(bool)


@given(st.lists(st.booleans(), min_size=1, max_size=70))
def test_bits_come_back(right):
    text = items.packed(np.array(right))
    digits = [(int(text[item >> 2], 16) >> (3 - (item & 3))) & 1 for item in range(len(right))]  # as the script reads them
    assert digits == right and unpacked(text, len(right)).tolist() == right


@pytest.fixture
def found(make, out):
    pairs = [(record, frame.assign(text=frame["item"].where(frame["kind"] == "task"))) for record, frame in make.suite(2)]
    rows = aggregate(make.kept(out, pairs), out)
    return {record.run_id: frame for record, frame in pairs}, *items.items_of(rows, out)


def test_what_is_right_is_what_equals_gold(found):
    frames, shared, own = found
    assert shared["count"] == 200 and own.keys() == frames.keys()
    for run, frame in frames.items():
        answered = frame[frame["kind"] == "task"]
        assert unpacked(own[run]["right"], 200).tolist() == (answered["prediction"] == answered["gold"]).tolist()


def test_answers_and_texts_are_those_of_the_items_that_divide_most(found):
    frames, shared, own = found
    rights = np.stack([unpacked(each["right"], 200) for each in own.values()])
    split = rights.mean(0) * (1 - rights.mean(0))
    assert shared["where"] == np.flatnonzero(split > 0).tolist() and 0 < len(shared["where"]) < 200
    for run, frame in frames.items():
        answered = frame[frame["kind"] == "task"].iloc[shared["where"]]
        assert [shared["words"][items.LETTERS.index(letter)] for letter in own[run]["answers"]] == answered[
            "prediction"
        ].tolist()
        assert shared["texts"] == answered["text"].tolist() and shared["golds"] == answered["gold"].tolist()
        assert own[run]["sure"] == "90" * len(answered)


def test_of_many_the_most_divided_are_kept(monkeypatch):
    monkeypatch.setattr(items, "SHOWN", 2)
    rights = np.array([[1, 1, 0, 1, 1], [1, 0, 0, 1, 0], [1, 0, 0, 0, 0], [1, 0, 0, 1, 1]], dtype=bool)
    assert items._most_divided_items(rights).tolist() == [1, 4]  # shares 1/4 and 1/2 right; 3/4 comes after 1/4
    monkeypatch.setattr(items, "CELLS", 4)
    assert items._most_divided_items(rights).tolist() == [4]


def test_answers_are_read_in_the_whole_text_of_which_the_page_has_the_beginning(make, out):
    tags = {"positive": json.dumps([*["O"] * 299, "B-PER"]), "negative": json.dumps(["O"] * 300)}
    pairs = []
    for record, frame in make.suite(2):
        changed = {name: frame[name].map(tags) for name in ("gold", "prediction")}
        pairs.append((record, frame.assign(text=" ".join(["word"] * 300), **changed)))
    shared, _ = items.items_of(aggregate(make.kept(out, pairs), out), out)
    assert {len(text) for text in shared["texts"]} == {items.SHOWN_TEXT}
    assert set(shared["golds"]) == set(shared["words"]) == {"PER: word", "no name"}


def test_full_marks_are_right():
    squad = pd.DataFrame({"gold": [json.dumps(["the Alps", "Alps"]), json.dumps(["Ann"])], "prediction": ["alps", "Bob"]})
    assert items.right_answers_of(squad, "squad_f1").tolist() == [True, False]
    tags = pd.DataFrame(
        {
            "gold": ['["O", "O"]', '["B-PER", "O"]', '["B-PER", "O"]'],
            "prediction": ['["O", "O"]', '["B-PER", "O"]', '["O", "O"]'],
        }
    )
    assert items.right_answers_of(tags, "entity_f1").tolist() == [True, True, False]
    assert items.right_answers_of(tags, "chrf") is None and items.right_answers_of(tags, "nobody's") is None


@pytest.mark.parametrize("column", ["item", "gold"])
def test_runs_of_other_items_are_left_out(make, out, column):
    record, frame = make.record("frozen")
    other = frame.assign(**{column: frame[column] + "!"})
    rows = aggregate(make.kept(out, [make.record("full"), make.record("x"), (record, other)]), out)
    _, own = items.items_of(rows, out)
    assert len(own) == 2 and record.run_id not in own
    assert items.items_of(rows[:1], out) == (None, {})


def test_many_different_answers_are_told_by_their_places(make, out):
    pairs = []
    for name, accuracy in (("full", 0.6), ("frozen", 0.1)):
        record, frame = make.record(name, accuracy=accuracy)
        wrong = (frame["kind"] == "task") & (frame["prediction"] != frame["gold"])
        pairs.append((record, frame.assign(prediction=frame["prediction"].mask(wrong, name + frame["item"]))))
    shared, own = items.items_of(aggregate(make.kept(out, pairs), out), out)
    assert len(shared["words"]) > len(items.LETTERS)
    for record, frame in pairs:
        answered = frame[frame["kind"] == "task"].iloc[shared["where"]]
        assert [shared["words"][place] for place in own[record.run_id]["answers"]] == answered["prediction"].tolist()


def test_domains_have_their_own_bits(make, out):
    pairs = [make.elsewhere(make.record(name), "tweets", score, 50) for name, score in (("full", 0.8), ("frozen", 0.6))]
    shared, own = items.items_of(aggregate(make.kept(out, pairs), out), out)
    assert shared["domains"] == {"tweets": 50}
    for record, frame in pairs:
        away = frame[frame["kind"] == "elsewhere"]
        assert unpacked(own[record.run_id]["away"]["tweets"], 50).tolist() == (away["prediction"] == away["gold"]).tolist()
