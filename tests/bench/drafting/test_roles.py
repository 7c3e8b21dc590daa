"""What a column is for, by what it holds and what it is called."""

import pytest

from bench.drafting.roles import (
    LABEL_NAMES,
    columns_text,
    contents,
    fields_of,
    heading,
    is_index,
    is_label,
    is_named,
    is_split,
    is_text,
    prompt_of,
    texts_of,
)
from bench.drafting.table import FileColumn, FileTable
from bench.drafting.wishes import Wishes
from bench.errors import UserError

TEXTS = FileColumn("text", [f"the {i}th long text here" for i in range(40)])
STARS = FileColumn("stars", [str(i % 5) for i in range(40)])


def table(*columns):
    return FileTable("a.csv", {}, {column.name: column for column in columns}, 40, 40)


def test_kinds_of_columns():
    index, key = FileColumn("", [str(i) for i in range(40)]), FileColumn("row_id", [f"r{i}" for i in range(40)])
    rate, split = FileColumn("rate", [f"{i % 7}.5" for i in range(40)]), FileColumn("part", ["train", "dev"] * 20)
    ages = FileColumn("age", [str(i % 30) for i in range(400)])
    assert is_index(index) and is_index(key) and not is_index(TEXTS) and not is_index(STARS)
    assert is_label(STARS) and not any(map(is_label, (rate, split, TEXTS, index, ages)))
    many = [str(i % 77) for i in range(400)]
    assert is_label(FileColumn("label", many)) and not is_label(FileColumn("size", many))
    assert is_label(FileColumn("intent", [f"intent {i % 150}" for i in range(400)]))
    assert not is_label(FileColumn("label", [str(i) for i in range(400)]))
    assert is_split(split) and not is_split(STARS)
    assert is_text(TEXTS) and not is_text(STARS) and not is_text(key)
    assert (
        is_named(STARS, LABEL_NAMES) and is_named(FileColumn("Is Spam", []), LABEL_NAMES) and not is_named(TEXTS, LABEL_NAMES)
    )


def test_texts_are_told_with_what_else_could_be_read():
    note = FileColumn("note", [f"note {i}" for i in range(40)])
    assert texts_of(table(STARS, note, TEXTS), Wishes(), ["stars"]) == (
        ["text"],
        "by its name, 5 words in the middle; note could be read too: --text text,note",
    )
    both = table(FileColumn("premise", TEXTS.values), FileColumn("hypothesis", note.values))
    assert texts_of(both, Wishes(), [])[0] == ["premise", "hypothesis"]
    with pytest.raises(UserError, match="a.csv: no column holds text; name one with --text. The columns are stars"):
        texts_of(table(STARS), Wishes(), [])


def test_words_for_columns():
    assert fields_of(["Body"]) == {"text": "Body"} and fields_of(["First Text", "b"]) == {"first_text": "First Text", "b": "b"}
    assert prompt_of(["body"], "Stars") == "Body: {text}\nStars:"
    assert heading("review_text", "Text") == "Review text" and heading("column1", "Text") == heading("1", "Text") == "Text"
    assert (
        contents(STARS) == "5 values, such as '0'"
        and contents(FileColumn("a", ["x"] * 3)) == "always 'x'"
        and contents(FileColumn("a", [""])) == "empty"
    )
    assert columns_text(table(STARS)) == "The columns are stars (5 values, such as '0')."


def test_texts_of_one_name_are_numbered_and_none_is_called_as_another_field():
    assert fields_of(["Text A", "text-a", "text a 2"]) == {"text_a": "Text A", "text_a_2": "text-a", "text_a_2_2": "text a 2"}
    assert fields_of(["Label", "group", "!"]) == {"label_2": "Label", "group_2": "group", "text": "!"}
    assert prompt_of(["Text A", "text-a"], "Same") == "Text a: {text_a}\nText a: {text_a_2}\nSame:"
