"""What all probes share: their choice of rows, their requests, their checks."""

from collections import Counter
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from probing import measured

from bench.errors import UserError
from bench.hashing import digest
from bench.probes import probe_class
from bench.probes.base import chosen_rows, filled_rows
from bench.tasks.encoding import Encoding

ROWS = [{"text": f"the film {number}", "answer": "good"} for number in range(5)]


@given(st.integers(0, 60), st.integers(0, 70), st.integers(0, 70))
def test_a_larger_limit_keeps_all_of_a_smaller_one(count, one, other):
    rows = [{"number": number} for number in range(count)]
    small, large = sorted((one, other))
    kept = chosen_rows(rows, small)
    # They stand first and in the same order, so that two sizes share their first items.
    assert chosen_rows(rows, large)[: len(kept)] == kept and len(kept) == min(small, count)
    assert len({row["number"] for row in chosen_rows(rows, large)}) == min(large, count)


def test_a_sample_is_a_choice_and_not_the_head():
    rows = [{"number": number} for number in range(100)]
    assert chosen_rows(rows, 10) != rows[:10] and chosen_rows(rows, 10) == chosen_rows(rows, 10)


def test_a_sample_keeps_the_shares_of_gold_values():
    rows = [{"gold": gold} for gold in ["1"] * 60 + ["0"] * 40]
    assert [row["gold"] for row in chosen_rows(rows, 10)].count("1") == 6


def test_a_sample_is_spread_over_clusters():
    """Thirty of fifty pairs: no two of them are of one pair; a row that names no cluster is by itself."""
    rows = [{"number": number, "book": f"book {number // 2}"} for number in range(100)]
    kept = chosen_rows(rows, 30, "book")
    assert len({row["book"] for row in kept}) == 30 > len({row["book"] for row in chosen_rows(rows, 30)})
    alone = [{**row, "book": ""} for row in rows]
    assert [row["number"] for row in chosen_rows(alone, 10, "book")] == [row["number"] for row in chosen_rows(rows, 10)]


def test_items_tell_what_they_belong_to(own, made, decoding, decoder):
    passage = "a passage of many words " * 10
    rows = [{**row, "book": book} for row, book in zip(ROWS, ["a", "a", passage, "", passage], strict=True)]
    probe = made(own("cloze", rows, cluster="book"), decoding)
    frame = measured(probe, decoder.load().eval())
    known = frame["cluster"].where(frame["cluster"].notna(), "")
    # A passage stands there by its hash, which is short.
    assert known.tolist() == [digest(passage) if row["book"] == passage else row["book"] for row in probe.rows]
    assert frame["cluster"].nunique() == 2


def test_rows_come_from_each_part_of_the_source(library):
    spec = library.probe("health-subjects")
    golds = [row["gold"] for row in filled_rows(spec)]
    assert Counter(golds) == {"anatomy": 135, "human_aging": 223, "nutrition": 306, "virology": 166}


@pytest.fixture
def probe(own, made, decoding):
    return made(own("cloze", ROWS), decoding)


def test_requests_are_cut_where_the_contexts_own_tokens_end(probe, decoding):
    pairs = [("the film was", " good"), ("a dull", " story of love"), ("He", "llo there")]
    for (context, continuation), (before, after) in zip(pairs, probe.requests(pairs), strict=True):
        whole = decoding.ids(context + continuation)
        assert [*before, *after] == whole and before and after
        alone = decoding.ids(context)
        assert list(before) == alone[: len(before)]
        # No further token of the context would fit the whole.
        assert len(before) == len(alone) or alone[len(before)] != whole[len(before)]


def test_a_token_over_the_border_belongs_to_the_continuation(probe, decoding):
    """A word whose halves are one token together: the context keeps what comes before it."""
    tokenizer = decoding.model.tokenizer
    word = next(text for text in map(tokenizer.decode, range(300, 1000)) if text[0] == " " and len(text) > 4 and text.isascii())
    context, continuation = f"the{word[:3]}", word[3:]
    ((before, after),) = probe.requests([(context, continuation)])
    assert list(before) == decoding.ids("the") and list(after) == decoding.ids(word, special=False)
    assert list(before) != decoding.ids(context)


def test_a_context_that_holds_the_whole_leaves_a_token(probe):
    ((before, after),) = probe.requests([("the film", "")])
    assert len(after) == 1 and before


def test_a_context_too_long_loses_its_middle_and_the_same_for_all_choices(own, made, decoder):
    encoding = Encoding(decoder, 24)
    probe = made(own("cloze", ROWS), encoding)
    context = "one two three four five six seven eight nine ten eleven twelve " * 4
    answers = [" no", " a very much longer answer than the other"]
    long, whole = probe.requests([(context.strip(), answer) for answer in answers]), encoding.ids(context.strip())
    assert long[0][0] == long[1][0]
    kept, room = list(long[0][0]), max(len(answer) for _, answer in long)
    assert len(kept) + room == 24 < len(whole)
    half = len(kept) // 2
    assert kept == whole[: len(kept) - half] + whole[len(whole) - half :]
    assert [list(answer) for _, answer in long] == [encoding.ids(answer, special=False) for answer in answers]
    # A short one is not touched.
    assert probe.requests([("the film", " good")])[0][0] == tuple(encoding.ids("the film"))


@pytest.mark.parametrize(("bos", "start"), [("<s>", 1), (None, 2)])
def test_an_empty_context_is_where_a_text_begins(own, made, decoder, bos, start):
    encoding = Encoding(replace(decoder), 64)  # a copy, with a tokenizer of its own
    encoding.model.tokenizer.bos_token = bos
    ((before, after),) = made(own("cloze", ROWS), encoding).requests([("", "the film")])
    assert before == (start,) and list(after) == encoding.ids("the film", special=False)


def test_an_answer_without_room_is_told_with_the_probe(own, made, decoder):
    probe = made(own("cloze", ROWS), Encoding(decoder, 8))
    with pytest.raises(UserError, match=r"probe 'own', \d+ tokens of 'a very long.*max_length 8 leaves no room"):
        probe.requests([("x", " a very long answer that does not fit by far")])


def test_a_part_is_the_same_probe_on_some_items(probe):
    rows = list(probe.rows)
    part = probe.part([3, 0])
    assert part.rows == [rows[3], rows[0]] and probe.rows == rows and len(rows) == 5
    assert (type(part), part.spec, part.encoding) == (type(probe), probe.spec, probe.encoding)


def test_a_probe_has_at_most_its_limit_of_rows(own, made, decoding):
    spec = own("cloze", ROWS)
    assert len(made(spec, decoding, 3).rows) == 3 and len(made(spec, decoding, 30).rows) == 5


def test_a_row_without_a_value_is_named(own):
    spec = own("cloze", [*ROWS[:2], {"text": "x", "answer": ""}])
    with pytest.raises(UserError, match=r"probe 'own': .*rows\.jsonl.*3.*: field 'answer' is empty"):
        probe_class(spec).check(spec)


def test_a_template_takes_no_list_for_a_text(own):
    """Its brackets and quotation marks would be asked too."""
    spec = own("cloze", [{"text": "x", "aliases": ["Ann", "Anna"]}], fields={"answer": "{aliases}"})
    with pytest.raises(UserError, match=r"probe 'own': .*rows\.jsonl, line 1: a template names {aliases}, which is a list"):
        filled_rows(spec)


def test_sound_rows_pass(own):
    spec = own("cloze", ROWS)
    probe_class(spec).check(spec)


def test_a_kinds_own_fault_is_told_with_its_row(own, monkeypatch):
    spec = own("cloze", ROWS)
    kind = probe_class(spec)
    fault = classmethod(lambda cls, row, spec: "field 'text' is odd" if row["text"].endswith("3") else None)
    monkeypatch.setattr(kind, "fault", fault)
    with pytest.raises(UserError, match=r"probe 'own': .*rows\.jsonl.*4.*: field 'text' is odd"):
        kind.check(spec)


def test_a_missing_column_and_a_wrong_option_are_told_without_data(own):
    spec = own("cloze", [{"text": "x"}])
    with pytest.raises(UserError, match="a cloze probe needs the columns answer"):
        probe_class(spec).accept(spec)
    wrong = own("cloze", ROWS, options={"shots": 3})
    with pytest.raises(UserError, match=r"probe 'own', options of a cloze probe: .*shots"):
        probe_class(wrong).accept(wrong)


def test_a_score_weighs_its_items(probe):
    frame = probe.frame([1.0, 4.0], [3.0, 1.0], gold=[1, "b"])
    assert frame["gold"].tolist() == ["1", "b"] and probe.frame([1.0, 4.0])["weight"].tolist() == [1.0, 1.0]
    before = {name: frame[name].to_numpy() for name in ("value", "weight")}
    after = before | {"value": before["value"] + 1}
    assert probe.score(before) == 1.75 and probe.scores(before, after) == (1.75, 2.75)
    chosen = [{name: values[[1, 1]] for name, values in side.items()} for side in (before, after)]
    assert probe.scores(*chosen) == (4.0, 5.0)
