"""YAML from outside: what is bounded, what is refused, and that all else is PyYAML's own reading."""

import time

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.errors import FormatError
from bench.specs import yaml_text
from bench.specs.library import BUILT_IN
from bench.specs.yaml_text import yaml_value

LAUGHS = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 12)
)
"""A few hundred bytes that stand for 9^12 values."""
CHAIN = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 60))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (LAUGHS, "stands for more than 1,000,000 characters"),
        ("a: &a " + "x" * 1000 + "\nb: [" + "*a, " * 1001 + "]", "stands for more than 1,000,000 characters"),
        (CHAIN, "nested more than 50 deep"),
        ("[" * 100_000, "line 1, column 51: it is nested more than 50 deep"),
        ("- " * 100_000, "nested more than 50 deep"),
        ("a: " + "x" * 1_000_000, "more than 1,000,000 characters"),
        ("a: &a {b: *a}", "line 1, column 11: it contains itself"),
        ("&a [1, [*a]]", "it contains itself"),
        ("a: &a [1]\nb: {<<: [*a]}", "expected a mapping"),
        ("budget: 1\nseeds: 2\nbudget: 3", "line 3, column 1: the key 'budget' stands there twice"),
        ("a: [{b: 1, 'b': 2}]", "the key 'b' stands there twice"),
        ("yes: 1\ntrue: 2", "the key 'true' stands there twice"),
        ("{<<: {a: 1}, <<: {a: 2}}", "stands there twice"),
        ("a: 2020-13-45", "a value is not of its type"),
        ("a: !!bool maybe", "a value is not of its type"),
        ("a: !!int ''", "a value is not of its type"),
        ("a: !!timestamp soon", "a value is not of its type"),
        ("a: !!python/object/apply:os.system [ls]", "could not determine a constructor"),
        ("a: \0", "unacceptable character"),
        ("a: 1\n---\nb: 2", "but found another document"),
        ("a: [", "line 1, column 5"),
    ],
)
def test_what_no_person_means_is_refused_at_its_place(text, fault):
    started = time.process_time()
    with pytest.raises(FormatError) as told:
        yaml_value(text)
    assert fault in str(told.value) and "\n" not in str(told.value)
    assert time.process_time() - started < 2


@pytest.mark.parametrize("path", sorted(BUILT_IN.rglob("*.yaml")), ids=lambda path: path.stem)
def test_all_else_is_as_pyyaml_reads_it(path):
    text = path.read_text()
    assert yaml_value(text) == yaml.safe_load(text)


def test_aliases_and_merges_may_be_used():
    text = "base: &b {rate: 1, depth: 2}\nown: {<<: *b, rate: 3}\nsame: [*b, *b]\nempty:\n"
    assert yaml_value(text) == yaml.safe_load(text)


@given(st.text(alphabet="[]{}:,-&*a<!\n 1'\"|>#?~%", max_size=60))
@settings(max_examples=300, deadline=None)
def test_any_text_is_read_or_refused(text):
    try:
        read = yaml_value(text)
    except FormatError:
        return
    assert repr(read) == repr(yaml.safe_load(text))


def test_a_planted_limit_is_kept(monkeypatch):
    monkeypatch.setattr(yaml_text, "MAX_DEPTH", 3)
    assert yaml_value("[[1]]") == [[1]]
    with pytest.raises(FormatError):
        yaml_value("[[[1]]]")
