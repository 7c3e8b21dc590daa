"""Which answers meet."""

import pytest
from written import TASK, write_row

from bench.errors import UserError
from bench.judging.row_pairs import JudgeOptions, cut_texts, row_pairs
from bench.records.store import KEPT_TEXT

OTHER = {**TASK, "name": "letters", "instructions": None}


def found(out, records, **options):
    return row_pairs(records, out, JudgeOptions(**options))


def labels(all_pairs):
    return [pair.label for pair in all_pairs]


def test_all_pairs_of_each_table_the_better_row_first(tmp_path):
    rows = [write_row(tmp_path, name, answers) for name, answers in {"a": ["x"], "b": ["xxx"], "c": ["xx"]}.items()]
    rows += [write_row(tmp_path, name, ["y"], task=OTHER) for name in ("a", "b")]
    assert labels(found(tmp_path, rows)) == ["a against b", "b against c", "b against a", "c against a"]
    assert {pair.group for pair in found(tmp_path, rows)} == {("ours", "m", "mail"), ("ours", "m", "letters")}
    assert labels(found(tmp_path, rows, task="mail")) == ["b against c", "b against a", "c against a"]
    assert labels(found(tmp_path, rows, task="mail", against="a")) == ["b against a", "c against a"]


def test_a_contest_is_an_items_text_and_both_answers(tmp_path):
    rows = [write_row(tmp_path, "a", ["long", "b"]), write_row(tmp_path, "b", ["c", "d"])]
    (pair,) = found(tmp_path, rows)
    ((pairing, turned),) = pair.pairings
    assert (pairing.one, pairing.other) == tuple(sorted(row.run_id for row in rows))
    mine = [(contest.other, contest.one) if turned else (contest.one, contest.other) for contest in pairing.contests]
    assert mine == [("long", "c"), ("b", "d")] and pair.label == "a against b"
    assert [(contest.item, contest.text) for contest in pairing.contests] == [
        ("test-1", "text of test-1"),
        ("test-2", "text of test-2"),
    ]
    assert pairing.task == "Answer it.\n{text}"


def test_the_same_two_runs_are_the_same_pairing_whichever_is_better(tmp_path):
    pairings = set()
    for one, other in (("long", "c"), ("c", "long")):
        rows = [write_row(tmp_path / one, "a", [one]), write_row(tmp_path / one, "b", [other])]
        (pair,) = found(tmp_path / one, rows)
        ((pairing, turned),) = pair.pairings
        pairings.add((pairing.one, pairing.other))
        assert (pair.rows[0].first.run_id == pairing.other) == turned
    assert len(pairings) == 1


def test_a_task_without_instructions_is_told_by_its_prompt(tmp_path):
    (pair,) = found(tmp_path, [write_row(tmp_path, name, ["y"], task=OTHER) for name in ("a", "b")])
    assert pair.pairings[0][0].task == "Mail: {text}\nReply:"


def test_a_chat_is_judged_and_told_by_its_prompt(tmp_path):
    """Its instruction names the last turn alone."""
    chat = {"name": "chat", "type": "dialogue", "prompt": "{history}User: {text}", "instructions": {"test": ["{text}"]}}
    records = [write_row(tmp_path, strategy, ["yes", "no"], task=chat) for strategy in ("full", "zero-shot")]
    ((pairing, _),) = row_pairs(records, tmp_path, JudgeOptions())[0].pairings
    assert pairing.task == "{history}User: {text}" and len(pairing.contests) == 2


def test_seeds_meet_in_their_order_and_one_run_meets_all(tmp_path):
    rows = [write_row(tmp_path, name, [f"{name}{seed}"], seed) for name in ("a", "b") for seed in range(3)]
    rows.append(write_row(tmp_path, "zero-shot", ["z"]))
    met = {
        pair.label: [
            {pairing.contests[0].one, pairing.contests[0].other} for pairing, _ in pair.pairings
        ]
        for pair in found(tmp_path, rows)
    }  # fmt: skip
    assert met == {
        "a against b": [{"a0", "b0"}, {"a1", "b1"}, {"a2", "b2"}],
        "a against zero-shot": [{"a0", "z"}, {"a1", "z"}, {"a2", "z"}],
        "b against zero-shot": [{"b0", "z"}, {"b1", "z"}, {"b2", "z"}],
    }


def test_a_seed_that_one_row_lacks_meets_no_other(tmp_path):
    rows = [write_row(tmp_path, "a", [f"a{seed}"], seed) for seed in (0, 1, 2)]
    rows += [write_row(tmp_path, "b", [f"b{seed}"], seed) for seed in (0, 2)]
    (pair,) = found(tmp_path, rows)
    assert [{p.contests[0].one, p.contests[0].other} for p, _ in pair.pairings] == [{"a0", "b0"}, {"a2", "b2"}]
    apart = [write_row(tmp_path, name, [name], seed) for name, seeds in (("c", (0, 1)), ("d", (2, 3))) for seed in seeds]
    with pytest.raises(UserError, match="have no seed in common; run both with the same --seeds"):
        found(tmp_path, apart)


def test_more_items_hold_those_of_fewer_in_their_order(tmp_path):
    rows = [write_row(tmp_path, name, [f"{name}{n}" for n in range(40)], cluster=[n // 2 for n in range(40)]) for name in "ab"]

    def items(count):
        (pair,) = found(tmp_path, rows, items=count)
        names = [contest.item for contest in pair.pairings[0][0].contests]
        assert [int(cluster) for cluster in pair.clusters] == [(int(name[5:]) - 1) // 2 for name in names]
        return names

    assert [len(items(count)) for count in (5, 20, 40, 99)] == [5, 20, 40, 40]
    assert set(items(5)) < set(items(20)) < set(items(40))
    assert items(20) == [name for name in items(40) if name in items(20)] != items(40)[:20]
    # Spread over what items belong to: one of each pair.
    assert len({(int(name[5:]) - 1) // 2 for name in items(18)}) == 18


def test_texts_that_were_cut_are_counted_once(tmp_path):
    texts = ["a" * 599 + "…", "Saving…", "c" * 600, "d" * (KEPT_TEXT - 1) + "…"]  # one ends so by itself, and one fits
    rows = [write_row(tmp_path, name, ["y"] * 4, text=texts) for name in "abc"]
    assert cut_texts(found(tmp_path, rows)) == 2


def test_what_cannot_be_judged_is_told(tmp_path):
    rows = [write_row(tmp_path, name, ["y"]) for name in ("full", "frozen")]
    spans = write_row(tmp_path, "full", ["y"], task={**TASK, "name": "spans", "type": "qa"})
    with pytest.raises(UserError, match="^unknown task 'mails'; did you mean mail"):
        found(tmp_path, [*rows, spans], task="mails")
    with pytest.raises(
        UserError, match="^'spans' is no task of type generation or dialogue: a judge weighs texts that were written"
    ):
        found(tmp_path, [*rows, spans], task="spans")
    with pytest.raises(UserError, match="^there is no row of a task of type generation or dialogue: "):
        found(tmp_path, [spans])
    with pytest.raises(UserError, match="^no two rows in .* answer the same generation or dialogue task; a judge compares two"):
        found(tmp_path, rows[:1])
    with pytest.raises(UserError, match="^unknown row 'fulll'; did you mean full"):
        found(tmp_path, rows, against="fulll")


def test_rows_of_other_items_or_none_are_told(tmp_path):
    rows = [write_row(tmp_path, "full", ["y"]), write_row(tmp_path, "frozen", ["y"], item="test-2")]
    with pytest.raises(UserError, match="of task 'mail' answered different items; keep them apart with another --out"):
        found(tmp_path, rows)
    rows = [write_row(tmp_path, "full", ["y"]), write_row(tmp_path, "frozen", ["y"], gold='["wrong"]')]
    with pytest.raises(UserError, match="answered different items"):
        found(tmp_path, rows)
    rows = [write_row(tmp_path, "full", ["y"]), write_row(tmp_path, "frozen", ["y"], text=None)]
    with pytest.raises(
        UserError,
        match=rf"^run {rows[1].run_id} \(frozen\) has no texts and answers in .*records; delete {rows[1].run_id}.json there",
    ):
        found(tmp_path, rows)
    (tmp_path / "records" / f"{rows[1].run_id}.parquet").unlink()
    with pytest.raises(UserError, match=rf"^run {rows[1].run_id} \(frozen\) has no texts"):
        found(tmp_path, rows)


def test_rows_that_answer_different_questions_are_refused_as_in_every_table(tmp_path):
    rows = [write_row(tmp_path, "full", ["y"]), write_row(tmp_path, "frozen", ["y", "z"])]
    with pytest.raises(
        UserError, match=r"the rows answer different questions: number of items differs: 2 \(frozen\), 1 \(full\)"
    ):
        found(tmp_path, rows)


def test_unequal_rows_may_meet_on_the_same_items(tmp_path):
    rows = [write_row(tmp_path, name, ["y"], task={**TASK, "prompt": prompt}) for name, prompt in (("a", "A"), ("b", "B"))]
    with pytest.raises(UserError, match="wording of the task differs"):
        found(tmp_path, rows)
    assert labels(found(tmp_path, rows, allow_unequal=True)) == ["a against b"]
