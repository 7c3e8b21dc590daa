import pytest
from probing import measured

from bench.probes import probe_class
from bench.specs.probe import ProbeSpec
from bench.specs.source import Source


def probe(spec, encoding, limit=12):
    return probe_class(spec)(spec, encoding, limit)


def test_a_larger_limit_keeps_the_smaller_ones_items(library, decoding):
    small, large = (probe(library.probe("arc-easy"), decoding, limit).rows for limit in (5, 20))
    assert large[:5] == small


def test_an_untouched_model_answers_the_same_when_loaded_again(library, decoder, decoding):
    for name in ("wikipedia", "lambada", "arc-easy"):
        loaded = probe(library.probe(name), decoding)
        first, second = (measured(loaded, decoder.load().eval()) for _ in range(2))
        assert first.equals(second)


@pytest.mark.parametrize(
    ("kind", "row", "sentence"),
    [
        ("multiple-choice", {"question": "q", "choices": "abc", "gold": "0"}, "line 1: field 'choices' must be a list"),
        (
            "multiple-choice",
            {"question": "q", "choices": ["a", "b"], "gold": "A"},
            "must be the number of a choice, from 0 to 1",
        ),
        ("similarity", {"first": "a", "second": "b", "gold": "yes"}, "field 'gold' must be 0 or 1, not 'yes'"),
        ("multiple-choice", {"question": "q", "choices": ["a", ""], "gold": "0"}, "none of them empty"),
        ("lm-loss", {"text": "word"}, "field 'text' must have at least two words"),
        ("cloze", {"text": "a", "answer": None}, "line 1: field 'answer' is empty"),
        ("cloze", {"text": "a", "answer": ["b", "c"]}, "line 1: field 'answer' must be one text, not a list; .* as answer.0"),
        ("lm-loss", {"text": ["one sentence", "another"]}, "line 1: field 'text' must be one text, not a list"),
        ("pseudo-perplexity", {"text": " \n"}, "line 1: field 'text' is empty"),
    ],
)
def test_a_probes_bad_rows_are_named(tmp_path, kind, row, sentence):
    import json

    from bench.errors import UserError

    (tmp_path / "rows.jsonl").write_text(json.dumps(row))
    source = Source(path=str(tmp_path / "rows.jsonl"), columns={name: name for name in row})
    spec = ProbeSpec(name="own", version=1, description="", kind=kind, source=source)
    with pytest.raises(UserError, match=sentence):
        probe_class(spec).check(spec)


def test_a_probe_names_the_columns_it_needs(tmp_path):
    from bench.errors import UserError
    from bench.planning.options import PlanOptions
    from bench.planning.plan import plan

    (tmp_path / "probes").mkdir()
    (tmp_path / "rows.jsonl").write_text('{"t": "x"}\n')
    (tmp_path / "probes" / "own.yaml").write_text(
        "name: own\nversion: 1\ndescription: d\nkind: cloze\nsource: {path: ../rows.jsonl, columns: {text: t}}\n"
    )
    (tmp_path / "s.yaml").write_text(
        "name: s\nversion: 1\ndescription: d\nmodels: [tiny-bert]\ntasks: [sst2]\nstrategies: [full]\nprobes: [own]\n"
    )
    with pytest.raises(UserError, match="probe 'own': a cloze probe needs the columns answer"):
        plan(PlanOptions(str(tmp_path / "s.yaml")), "fp32")


def test_fields_are_made_of_columns(tmp_path):
    from bench.probes.base import filled_rows

    (tmp_path / "rows.csv").write_text("a,b\nThe end.,Is near\n")
    source = Source(path=str(tmp_path / "rows.csv"), columns={"a": "a", "b": "b"})
    fields = {"text": "{a:unstopped} {b:uncapitalised}", "list": ["{a}", "x"], "gold": "3"}
    spec = ProbeSpec(name="own", version=1, description="", kind="cloze", source=source, fields=fields)
    assert filled_rows(spec) == [
        {"a": "The end.", "b": "Is near", "text": "The end is near", "list": ["The end.", "x"], "gold": "3"}
    ]


@pytest.mark.parametrize(
    ("template", "sentence"),
    [("{c}", "a template names {c}, but the columns give a"), ("{a:upper}", "unknown change of a column 'upper'")],
)
def test_a_wrong_template_is_named(tmp_path, template, sentence):
    from bench.errors import UserError
    from bench.probes.base import filled_rows
    from bench.specs.base import read_spec

    (tmp_path / "rows.csv").write_text("a\nx\n")
    path = tmp_path / "own.yaml"
    path.write_text(
        f"name: own\nversion: 1\ndescription: d\nkind: cloze\nsource: {{path: {tmp_path}/rows.csv, columns: {{a: a}}}}\n"
        f"fields: {{text: '{template}'}}\n"
    )
    with pytest.raises(UserError, match=sentence):
        filled_rows(read_spec(path, ProbeSpec))
