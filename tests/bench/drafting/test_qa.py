"""Questions on a context, nested or in columns, with and without answers."""

import json
from itertools import count

import pytest
from own_files import as_csv

from bench.drafting.draft import drafted
from bench.drafting.qa import qa_roles, question_columns
from bench.drafting.table import opened
from bench.drafting.wishes import Wishes
from bench.errors import UserError
from bench.tasks import splits

NUMBER, NOTHING = count(), Wishes()


def roles(folder, rows, given=NOTHING):
    path = folder / f"{next(NUMBER)}.jsonl"  # a file is read once a process
    path.write_text("\n".join(map(json.dumps, rows)))
    table = opened(str(path), given)
    return qa_roles(table, given, question_columns(table, given))


def test_columns_are_found_by_their_names_and_what_has_no_answer_is_an_option(tmp_path):
    rows = [{"passage": f"Bo has {i} cats", "query": "How many?", "answer": str(i)} for i in range(20)]
    found = roles(tmp_path, rows)
    assert found.columns == {"context": "passage", "question": "query", "answers": "answer"} and found.options == {}
    nested = [
        {"context": r["passage"], "question": r["query"], "answers": {"text": [r["answer"]], "answer_start": [7]}} for r in rows
    ]
    assert roles(tmp_path, nested).columns["answers"] == "answers.text" and roles(tmp_path, nested).columns["starts"]
    assert roles(tmp_path, [*rows, rows[0] | {"answer": ""}]).options == {"no_answer": "unanswerable"}
    assert roles(tmp_path, [*rows, rows[0] | {"answer": "nine dogs"}]).options == {"outside": "drop"}
    said = Wishes().with_options(type="qa", text="passage,query", label="answer")
    assert roles(tmp_path, rows, said).columns == found.columns


@pytest.mark.parametrize(("first", "taken"), [(8, True), (2, False)])
def test_where_answers_begin_is_believed_where_it_fits(tmp_path, first, taken):
    """A column of that name may number words, or say seconds."""
    rows = [
        [f"It is a {word}{n}, I think.", f"What is it, {n}?", f"{word}{n}", first] for n in range(60) for word in ("cat", "dog")
    ]
    path = tmp_path / "mine.csv"
    path.write_text(as_csv(["context", "question", "answer", "start"], rows))
    found = drafted(opened(str(path), Wishes()), Wishes())
    assert ("starts" in found.source["columns"]) is taken and splits.load_splits(found.spec()).test
    (guess,) = (guess for guess in found.guesses if guess.about == "starts")
    assert guess.value == ("start" if taken else "not start")


def test_rows_without_answers_hide_no_others(tmp_path):
    """Whichever row comes first."""
    rows = [
        {
            "context": f"It is a cat{n}.",
            "question": f"What, {n}?",
            "answers": [{"text": f"cat{n}", "answer_start": 8}] if n % 3 else [],
        }
        for n in range(90)
    ]
    drafts = []
    for number, order in enumerate((rows, rows[1:] + rows[:1])):
        path = tmp_path / f"{number}.jsonl"
        path.write_text("\n".join(map(json.dumps, order)))
        drafts.append(drafted(opened(str(path), Wishes()), Wishes()))
        assert splits.load_splits(drafts[-1].spec()).test
    assert {each.roles.type for each in drafts} == {"qa"} and len({str(each.roles.columns) for each in drafts}) == 1


def test_answers_elsewhere_are_no_extractive_question(tmp_path):
    rows = [{"context": "Some words", "question": "Why?", "answers": "because"} for _ in range(5)]
    with pytest.raises(UserError, match="stand in the context; name them with --type qa --text CONTEXT,QUESTION --label"):
        roles(tmp_path, rows)


def test_two_texts_that_are_named_are_the_context_and_the_question(tmp_path):
    rows = [
        {"passage": "-", "text": f"Bo has {i} cats", "query": "?", "asked": "How many?", "answer": str(i)} for i in range(9)
    ]
    for options in ({}, {"type": "qa"}, {"type": "qa", "label": "answer"}):
        found = roles(tmp_path, rows, Wishes().with_options(text="text,asked", **options))
        assert found.columns == {"context": "text", "question": "asked", "answers": "answer"}
        assert next(guess.why for guess in found.guesses if guess.about == "text") == "as you said"
    for given in (Wishes(text=["text"]), Wishes(type="qa", text=["text"])):
        with pytest.raises(UserError, match="needs a context, a question"):
            roles(tmp_path, rows, given)
    nameless = [{"a": row["text"], "b": row["asked"], "answer": row["answer"]} for row in rows]
    with pytest.raises(UserError, match="needs a context, a question"):
        roles(tmp_path, nameless, Wishes(text=["a", "b"]))
    assert roles(tmp_path, nameless, Wishes(type="qa", text=["a", "b"])).columns["context"] == "a"
