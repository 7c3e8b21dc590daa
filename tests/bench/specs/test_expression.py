"""Expressions: what Python's own `re` finds, and an end to what needs too long."""

import re
import time

import pytest

from bench.data import sources
from bench.errors import UserError
from bench.specs import expression
from bench.specs.expression import Expression
from bench.specs.library import Library
from bench.specs.source import Source

HOSTILE = "^(?P<x>(a|aa)+)$"


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"(?P<kind>\w+)=(?P<value>\d+)?", "a=1 b= c=22"),
        (r"\A(?P<story>.+)_turn\d+\Z", "a_turn1_turn2"),
        (r"(?s)^T: (?P<title>.*)\nQ: (?P<question>.*?)(?: \((?P<hint>.*)\))?$", "T: a\nQ: b"),
        (r"(?P<x>)", "ab"),
        (r"(?P<x>z)", "ab"),
        (r"(?i)(?P<x>straße|İ)", "STRASSE Straße i̇"),
    ],
)
def test_it_finds_what_re_finds(pattern, text):
    ours, python = Expression(pattern), re.compile(pattern)
    expected = [match.groupdict() for match in python.finditer(text)]
    assert ours.matches(text) == expected and ours.matches(text, first=True) == expected[:1]
    assert ours.groups == set(python.groupindex)


def test_the_built_in_expressions_find_what_re_finds():
    library = Library()
    seen = 0
    for name in ("squad", "coqa", "medical-spans", "vader-movies"):
        for source in library.task(name).sources():
            for _, (_, record) in sources.drawn(source.model_copy(update={"sample": 50}))[1]:
                for column, pattern in source.extract.items():
                    text, seen = sources._column_text(record, column, ""), seen + 1
                    assert Expression(pattern).matches(text, first=True)[0] == re.search(pattern, text).groupdict()
    assert seen > 100


@pytest.mark.parametrize("pattern", ["(", "(?P<x>", "a{2}{999999999999999999999}", "*", "[", "(" * 5000 + ")" * 5000])
def test_what_cannot_be_understood_is_told(pattern):
    with pytest.raises(ValueError, match="is wrong: "):
        Expression(pattern)


def test_a_search_has_an_end(monkeypatch, tmp_path):
    monkeypatch.setattr(expression, "SEARCH_SECONDS", 0.2)
    started = time.monotonic()
    with pytest.raises(ValueError, match=r"needs more than 0.2 s for one text of 61 characters"):
        Expression(HOSTILE).matches("a" * 60 + "c")
    (tmp_path / "rows.csv").write_text("t\n" + "a" * 60 + "c\n")
    source = Source(path=str(tmp_path / "rows.csv"), columns={"t": "t"}, extract={"t": HOSTILE})
    with pytest.raises(UserError, match=r"rows.csv, line 2: the expression under extract for column 't' needs more than 0.2 s"):
        sources.rows(source)
    assert time.monotonic() - started < 5
