"""Options and a person's answers become the same thing."""

import pytest

from bench.data.formats import Form
from bench.drafting.wishes import OPTIONS, Wishes
from bench.errors import UserError


def test_options_and_answers_say_the_same():
    said = (
        Wishes()
        .changed("text = title, body")
        .changed("--labels=0=bad, 1=good")
        .changed("separator=tab")
        .changed("max-length=64")
    )
    assert said == Wishes().with_options(text="title,body", labels="0=bad,1=good", separator="tab", max_length="64", type=None)
    assert said.text == ["title", "body"] and said.labels == {"0": "bad", "1": "good"} and said.max_length == 64
    assert said.form == Form(separator="\t") and Wishes().changed("header=a,b").form.header == ["a", "b"]
    assert Wishes().changed("sample=all").sample == 0 and Wishes().changed("labels=a,b").labels == {"a": "a", "b": "b"}
    assert {"format", "type", "label", "group", "split", "name"} <= set(OPTIONS)


@pytest.mark.parametrize(
    ("line", "sentence"),
    [
        ("stars", "'stars': write it as label=COLUMN"),
        ("lable=stars", "unknown option 'lable'; did you mean label"),
        ("type=classes", "unknown type 'classes'"),
        ("sample=few", "sample 'few' is no whole number"),
        ("type=", "--type '' says nothing; give it a value, or leave it out"),
        ("text=,", "--text ',' says nothing"),
        ("header=,", "--header ',' says nothing"),
        ("header=a,b,a", "--header names two columns 'a'"),
        ("format=foo", "unknown format 'foo'"),
        ("max-length=4", "--max-length 4 is too short for any text; the least is 8"),
        ("max-length=0", "--max-length 0 is too short"),
        ("max-length=all", "--max-length 'all' is no whole number"),
        ("encoding=utf-99", "--encoding 'utf-99' is not known; common ones are cp1252, latin-1, utf-16"),
        ("encoding=hex", "--encoding 'hex' is not known"),
        ("separator=ab", "--separator 'ab' is not one character that can stand between cells"),
        ("separator=", "--separator '' is not one character"),
        ("labels=pos=,neg=x", "--labels 'pos=' says half; write what the file says and what it means"),
    ],
)
def test_what_is_no_answer_is_told(line, sentence):
    with pytest.raises(UserError, match=sentence):
        Wishes().changed(line)
