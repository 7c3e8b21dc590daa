"""A source's YAML."""

import pytest

from bench.specs.source import Source


@pytest.mark.parametrize(
    ("fields", "sentence"),
    [
        ({"ranges": {"t": {"a": "0,1"}}}, "is no interval; write one as"),
        ({"ranges": {"t": {"a": "[0,1]"}}, "values": {"t": {"0": "a"}}}, "'t' has both values and ranges"),
        ({"ranges": {"u": {"a": "[0,1]"}}}, "'u' is none of t"),
        ({"extract": {"t": "(?P<a>"}}, "extract: the expression for 't' is wrong: missing \\)"),
        ({"extract": {"t": "(a)"}}, "extract: the expression for 't' needs a named group"),
        ({"split": "test"}, "config, split and revision speak of a hub dataset"),
        ({"revision": "main"}, "config, split and revision speak of a hub dataset"),
        ({"member": "a.csv"}, "a member is of an asset"),
        ({"header": ["t", "t", "l"]}, "header names two columns 't'"),
        ({"format": "xml"}, "Input should be 'csv', 'tsv', 'jsonl'"),
        ({"path": None, "hub": "x", "split": "y", "format": "csv"}, "format, header, separator and encoding speak of files"),
        ({"path": None, "hub": "x", "split": "y", "encoding": "cp1252"}, "encoding speak of files"),
        ({"encoding": "hex"}, "'hex' is not known"),
        ({"encoding": "utf-9"}, "'utf-9' is not known; common ones are cp1252"),
        ({"separator": "||"}, "at most 1 character"),
        ({"sample": 0}, "greater than or equal to 1"),
    ],
)
def test_a_source_that_cannot_be_meant(fields, sentence):
    with pytest.raises(ValueError, match=sentence):
        Source.model_validate({"path": "a.csv", "columns": {"t": "t"}} | fields)
