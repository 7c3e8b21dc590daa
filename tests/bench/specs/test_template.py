"""Templates name fields, and hold nothing else that Python's formats know."""

import pytest

from bench.specs.template import fields_in


@pytest.mark.parametrize(
    ("template", "fields"),
    [
        ("", set()),
        ("Read this.", set()),
        ("{text}", {"text"}),
        ("{first}, {second} and {first} again", {"first", "second"}),
        ("{{text}} in braces, {my-column} without", {"my-column"}),
    ],
)
def test_the_fields_are_those_in_single_braces(template, fields):
    assert fields_in(template) == fields
    assert template.format_map(dict.fromkeys(fields, "x")) is not None


@pytest.mark.parametrize(
    ("template", "sentence"),
    [
        ("{text!z}", r"a template holds \{text!z\}; braces hold the name of a field and nothing else: \{text\}"),
        ("{text!r}", "nothing else"),
        ("{text:>10d}", "nothing else"),
        ("{text:>1000000000}", "nothing else"),
        ("{text:{width}}", "nothing else"),
        ("{}", "names no field"),
        ("{0}", "names no field"),
        ("{text.__class__}", "names no field"),
        ("{text[0]}", "names no field"),
        ("{text", "expected '}' before end of string"),
        ("text}", "Single '}' encountered"),
    ],
)
def test_what_could_not_be_filled_is_refused(template, sentence):
    with pytest.raises(ValueError, match=sentence):
        fields_in(template)


def test_a_probe_may_say_how_a_field_is_changed():
    assert fields_in("{choice:unstopped}", changes=True) == {"choice"}
    with pytest.raises(ValueError, match="nothing else"):
        fields_in("{choice!r:unstopped}", changes=True)
