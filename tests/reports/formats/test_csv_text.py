"""CSV for programs."""

import csv
from io import StringIO

import pytest

from reports.formats.csv_text import csv_text


def score(column):
    return "score"


def test_columns_are_all_names_and_what_a_line_lacks_is_empty():
    text = csv_text([{"a": 1, "b": 'x, "y"'}, {"a": None, "c": 0.1}], score)
    assert text.splitlines()[0] == "a,b,c" and text.endswith("\n")
    assert list(csv.DictReader(StringIO(text))) == [{"a": "1", "b": 'x, "y"', "c": ""}, {"a": "", "b": "", "c": "0.1"}]


def test_no_line_is_an_empty_heading():
    assert csv_text([], score) == "\n"


def test_a_spreadsheet_runs_no_name():
    """Names come from other people's files too; numbers stay numbers."""
    cells = {"a": '=HYPERLINK("x")', "b": -1.5, "c": "@x", "d": "a-b", "e": "-1"}
    (line,) = csv.DictReader(StringIO(csv_text([cells], score)))
    assert line == {"a": '\'=HYPERLINK("x")', "b": "-1.5", "c": "'@x", "d": "a-b", "e": "'-1"}


def test_a_column_without_a_definition_is_refused():
    with pytest.raises(LookupError, match="'b' has no definition"):
        csv_text([{"score": 1, "b": 2}], lambda column: column)
