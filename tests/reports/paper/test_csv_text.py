"""CSV for programs."""

import csv
from io import StringIO

from reports.paper.csv_text import csv_text


def test_columns_are_all_names_and_what_a_line_lacks_is_empty():
    text = csv_text([{"a": 1, "b": 'x, "y"'}, {"a": None, "c": 0.1}])
    assert text.splitlines()[0] == "a,b,c" and text.endswith("\n")
    assert list(csv.DictReader(StringIO(text))) == [{"a": "1", "b": 'x, "y"', "c": ""}, {"a": "", "b": "", "c": "0.1"}]


def test_no_line_is_an_empty_heading():
    assert csv_text([]) == "\n"


def test_a_spreadsheet_runs_no_name():
    """Names come from other people's files too; numbers stay numbers."""
    (line,) = csv.DictReader(StringIO(csv_text([{"a": '=HYPERLINK("x")', "b": -1.5, "c": "@x", "d": "a-b", "e": "-1"}])))
    assert line == {"a": '\'=HYPERLINK("x")', "b": "-1.5", "c": "'@x", "d": "a-b", "e": "'-1"}
