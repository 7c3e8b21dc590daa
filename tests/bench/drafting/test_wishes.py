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
    ],
)
def test_what_is_no_answer_is_told(line, sentence):
    with pytest.raises(UserError, match=sentence):
        Wishes().changed(line)
