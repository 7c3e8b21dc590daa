"""Passages shared between probe items and training data, worked out by hand."""

import csv
from types import SimpleNamespace

import pytest

from bench.measuring import contamination
from bench.specs.library import Library
from bench.specs.source import Source

LONG = "the quick brown fox jumps over the lazy dog while seven small birds look on from above"
SHORT = "the man turned on the old faucet"


@pytest.fixture
def run(tmp_path):
    """A stand-in for a run that trains on these texts, with these references."""

    def made(texts, references=None, rehearsal=None):
        (tmp_path / "tasks").mkdir()
        with (tmp_path / "tasks" / "rows.csv").open("w") as file:
            writer = csv.writer(file)
            writer.writerow(["text", "references"])
            writer.writerows(zip(texts, references or ["nothing to see here"] * len(texts), strict=True))
        for name in ("test", "validation"):
            (tmp_path / "tasks" / f"{name}.csv").write_text(f"text,references\nanother {name} text,its reference\n")
        columns = "columns: {text: text, references: references}"
        (tmp_path / "tasks" / "own.yaml").write_text(
            "name: own\nversion: 1\ndescription: ''\ntype: generation\nmetrics: [chrf]\nprompt: '{text}'\n"
            f"train: {{path: rows.csv, {columns}}}\nvalidation: {{path: validation.csv, {columns}}}\n"
            f"test: {{path: test.csv, {columns}}}\ninstructions: {{train: ['{{text}}'], test: ['{{text}}']}}\n"
        )
        task = Library(tmp_path).task("own")
        return SimpleNamespace(training_tasks=[task], tested=[task], rehearsed=rehearsal)

    return made


def probe(*rows, name="probe", cluster=None, needs=frozenset(), named=frozenset()):
    return SimpleNamespace(rows=list(rows), needs=needs, spec=SimpleNamespace(name=name, cluster=cluster, named=named))


def given_away(run, probe):
    """How many items of a probe that is asked alone."""
    return contamination.contaminated_items(run, [probe])["probe"]


@pytest.mark.parametrize(
    ("item", "trained", "known"),
    [
        (LONG, "They say: The quick, brown FOX jumps over the lazy dog while seven small birds sleep.", True),  # 13 words
        (LONG, "They say the quick brown fox jumps over the lazy dog while seven small cats sleep.", False),  # 12
        (SHORT, f"Yesterday {SHORT}, and water flowed out of it all day and night.", True),  # a short item inside a long text
        (SHORT, "the man turned on the new faucet", False),
        ("the man turned around", "the man turned around", False),  # too short to say anything
    ],
)
def test_a_shared_passage_gives_an_item_away(run, item, trained, known):
    asked = probe({"text": item}, {"text": "nothing of the kind here"})
    assert given_away(run([trained, "quite another text"]), asked) == int(known)


def test_probes_are_counted_apart(run):
    """A short item of one probe makes no passage of another's long text shorter."""
    trained = run([f"{SHORT} and the quick brown fox jumps over the lazy dog, or did it"])
    probes = [probe({"text": LONG}, name="long"), probe({"text": SHORT}, {"text": f"{SHORT} in the house"}, name="short")]
    assert contamination.contaminated_items(trained, probes) == {"long": 0, "short": 1}


def test_what_is_trained_to_write_counts_and_so_do_choices(run):
    trained = run(["one text"], references=[f"{SHORT} again"])
    assert given_away(trained, probe({"question": "what ?", "choices": ["no", SHORT]})) == 1


def test_what_items_belong_to_counts_where_the_model_reads_it(run):
    """A title that stands beside the items alone is nothing that they are asked about."""
    trained, row = run([f"{LONG} and beyond"]), {"text": "of another kind and nothing that was trained on", "title": LONG}
    assert given_away(trained, probe(row, cluster="title")) == 0
    assert given_away(trained, probe(row)) == 1
    assert given_away(trained, probe(row, cluster="title", needs=frozenset({"title"}))) == 1
    assert given_away(trained, probe(row, cluster="title", named=frozenset({"title"}))) == 1


def test_rehearsed_text_counts(run, tmp_path):
    (tmp_path / "rehearsed.jsonl").write_text(f'{{"text": "so {LONG} again"}}\n')
    source = Source(path=str(tmp_path / "rehearsed.jsonl"), columns={"text": "text"})
    assert given_away(run(["one text"]), probe({"text": LONG})) == 0
    (tmp_path / "tasks").rename(tmp_path / "before")
    assert given_away(run(["one text"], rehearsal=source), probe({"text": LONG})) == 1
