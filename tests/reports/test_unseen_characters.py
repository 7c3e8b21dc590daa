"""What cannot be seen is replaced, and nothing else."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.unseen_characters import REPLACEMENT, UNSEEN, visible, visible_json

TEXTS = st.text(st.characters(), max_size=40)


@pytest.mark.parametrize("unseen", ["\x00", "\x1b", "\x7f", "\x9b", "\u202e", "\u2066", "\u200f", "\ud800", "\uffff", "\r"])
def test_what_cannot_be_seen_is_replaced(unseen):
    assert visible(f"a{unseen}b") == f"a{REPLACEMENT}b"
    assert json.loads(visible_json(json.dumps([f"a{unseen}b"], ensure_ascii=False))) == [f"a{REPLACEMENT}b"]


@pytest.mark.parametrize("seen", ["plain", "a\tb\nc", "größe 否定的 سلبي 🦙", "\\u001b", "\\\\", "C:\\boot\\files", "a\u2028b"])
def test_all_else_stays(seen):
    assert visible(seen) == seen
    assert json.loads(visible_json(json.dumps({seen: seen}, ensure_ascii=False))) == {seen: seen}


@given(st.recursive(TEXTS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3)))
def test_json_stays_json_with_the_same_texts(value):
    found = visible_json(json.dumps(value, ensure_ascii=False))
    assert not UNSEEN.search(found)

    def replaced(value):
        if isinstance(value, dict):
            return {visible(key): replaced(inner) for key, inner in value.items()}
        return [replaced(inner) for inner in value] if isinstance(value, list) else visible(value)

    assert json.loads(found) == replaced(value)
