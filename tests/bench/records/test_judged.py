"""What a judge said, on disk."""

import json

import pytest

from bench.errors import UserError
from bench.records.judged import JudgedItem, JudgedPair, Said, find_judged, judged_place, write_judged


def pair():
    said = Said(text="first", winner="one"), Said(text="I can't say", winner=None)
    items = [
        JudgedItem(item="a", asked="0", one_first=said[0], other_first=said[1], verdict="tie"),
        JudgedItem(item="b", asked="1", one_first=said[0], other_first=said[0], verdict="one"),
        JudgedItem(item="c", asked="2", verdict="tie"),
    ]
    names = {"judge": "mine", "model": "m", "judge_hash": "ab" * 32, "prompt_version": 1}
    return JudgedPair(**names, one="1" * 16, other="2" * 16, items=items)


def test_it_is_read_as_it_was_written(tmp_path):
    path = write_judged(tmp_path, pair())
    assert path == judged_place(tmp_path, "1" * 16, "2" * 16, "ab" * 32) and path.parent.name == "judged"
    assert find_judged(path) == pair()
    assert find_judged(path.with_name("other.json")) is None


@pytest.mark.parametrize(
    ("old", "new", "place"), [('"tie"', '"both"', r"items\.0\.verdict"), ("{", "", "file"), ("m", "\xff", "f")]
)
def test_a_damaged_file_is_told(tmp_path, old, new, place):
    path = write_judged(tmp_path, pair())
    path.write_bytes(path.read_text().replace(old, new, 1).encode("latin-1"))
    with pytest.raises(UserError, match=rf"{path.name}: no verdicts of a judge \({place}.*; delete it, and it is made again"):
        find_judged(path)


def test_turned_says_the_same_of_the_runs_the_other_way_round():
    first, second, same = pair().items
    assert first.turned.one_first == Said(text="I can't say", winner=None)
    assert first.turned.other_first == Said(text="first", winner="other")
    assert second.turned.verdict == "other" and same.turned == same
    assert [item.turned.turned for item in pair().items] == pair().items


def test_an_old_pair_is_read_without_loss(old_judged):
    raw, old = json.loads(old_judged.read_text(encoding="utf-8")), find_judged(old_judged)
    assert old.model_dump(mode="json") == raw
    assert [item.verdict for item in old.items] == ["tie", "other", "other", "one", "other", "tie"]
    # Of the two ties one was said in two orders that do not agree, and of the other nothing was asked.
    assert (old.items[0].one_first.winner, old.items[0].other_first.winner) == ("one", "other")
    assert old.items[5].one_first is old.items[5].other_first is None
