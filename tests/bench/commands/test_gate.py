"""`tunebench compare` as a user gives it: exit statuses, files, and messages."""

import json
import re
import subprocess
from pathlib import Path

import pandas as pd
import pytest

from bench.commands.gate import NOT_MINDED
from bench.records import store
from bench.records.outcome import Outcome, Score
from bench.records.record import Cost, Provenance, Record, Setup
from reports.gate.tolerance import Tolerance, parsed_within

ITEMS = 400


def kept(out: Path, right: int, seeds=(0, 1, 2), budget="512examples") -> Path:
    """A row with answers: so many of them right, one more in each further seed."""
    for number, seed in enumerate(seeds):
        share = (right + number) / ITEMS
        score = Score(name="accuracy", value=share, ci_low=share - 0.03, ci_high=share + 0.03, n=ITEMS, share=True)
        costs = dict.fromkeys((n for n, f in Cost.model_fields.items() if f.is_required()), None)
        costs |= {"train_examples": 512, "train_tokens": 9000}
        setup = Setup(suite="s", model="m", task="t", strategy="full", hyperparameters={}, seed=seed, budget=budget)
        origin = Provenance(versions={}, device={}, engine_version=5, inputs={"seed": seed, "budget": budget})
        answers = ["yes" if item < right + number else "no" for item in range(ITEMS)]
        names = [str(item) for item in range(ITEMS)]
        frame = pd.DataFrame({"kind": "task", "name": "t", "item": names, "gold": "yes", "before": "no", "prediction": answers})
        record = Record(
            run_id=f"{seed}-{budget}",
            status="ok",
            setup=setup,
            outcome=Outcome(score=score),
            cost=Cost(**costs),
            provenance=origin,
        )
        store.write_record(out, record, frame)
    return out


@pytest.fixture
def old(tmp_path):
    return kept(tmp_path / "old", 340)


@pytest.mark.parametrize(("right", "status", "verdict"), [(342, 0, "same"), (250, 1, "worse"), (390, 0, "better")])
def test_exit_status_is_the_verdict(called, tmp_path, old, right, status, verdict):
    code, shown, said = called("compare", kept(tmp_path / "new", right), old, "--json")
    assert code == status and said == ""
    assert [change["verdict"] for change in json.loads(shown)["changes"]] == [verdict, "same"]


def test_not_comparable_is_2_and_named(called, tmp_path, old):
    code, shown, _ = called("compare", kept(tmp_path / "new", 340, budget="64examples"), old)
    assert code == 2 and "not comparable: s: m on t: full: budget: 64examples instead of 512examples" in shown


def test_wrong_input_is_2_with_a_sentence(called, tmp_path, old):
    assert called("compare", tmp_path / "none", old)[::2] == (
        2,
        f"error: no records in {tmp_path / 'none' / 'records'}; name a folder that `tunebench run --out` wrote\n",
    )
    code, _, said = called("compare", old, old, "--within", "2")
    assert code == 2 and said.startswith("error: within '2': give what nobody minds in points, nats or %")


def test_files_are_written_where_they_are_asked_for(called, tmp_path, old, monkeypatch):
    summary = tmp_path / "summary.md"
    summary.write_text("before\n")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    code, shown, _ = called("compare", old, old, "--markdown", tmp_path / "a" / "pr.md", "--junit", tmp_path / "j.xml")
    assert code == 0 and shown.startswith(f"{old} against {old}: 0 worse, 2 the same")
    text = (tmp_path / "a" / "pr.md").read_text()
    assert text.startswith("### tunebench: no regression\n") and summary.read_text() == "before\n" + text
    assert "<testsuites" in (tmp_path / "j.xml").read_text()


def test_a_regression_is_told_whatever_cannot_be_written(called, tmp_path, old, monkeypatch):
    """Planted fault: it ended with 2, and only said that the file can't be written."""
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    new, folder = kept(tmp_path / "new", 250), tmp_path / "taken"
    folder.mkdir()
    code, shown, said = called("compare", new, old, "--markdown", folder)
    assert code == 1 and "worse" in shown.splitlines()[0] and said.startswith(f"error: cannot write {folder}")
    assert called("compare", old, old, "--markdown", folder)[0] == 2


def test_nothing_is_written_without_being_asked(called, tmp_path, old, monkeypatch):
    monkeypatch.delenv("GITHUB_STEP_SUMMARY", raising=False)
    before = sorted(tmp_path.rglob("*"))
    assert called("compare", old, old)[0] == 0 and sorted(tmp_path.rglob("*")) == before


def test_what_was_accepted_is_the_old_side_and_has_a_history(called, tmp_path, old):
    kept_in = tmp_path / "kept"
    code, shown, _ = called("baseline", "accept", old, "--to", kept_in, "--commit", "ab12cd34ef")
    assert code == 0 and shown.startswith(str(kept_in)) and "-ab12cd34ef: 3 runs, 0.0" in shown
    assert called("compare", old, kept_in)[0] == 0
    assert called("compare", kept(tmp_path / "new", 250), kept_in)[0] == 1
    code, shown, _ = called("history", kept_in)
    assert code == 0 and shown.splitlines()[0] == "s: m on t"


def test_the_commit_is_what_git_says(called, tmp_path, old, monkeypatch):
    for command in (["init", "-q"], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-q", "--allow-empty", "-m", "a"]):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True)
    head = subprocess.run(["git", "-C", str(tmp_path), "rev-parse", "HEAD"], capture_output=True, text=True, check=True).stdout
    monkeypatch.chdir(tmp_path)
    assert called("baseline", "accept", old)[0] == 0
    (note,) = (tmp_path / "baselines" / "accepted").glob("*/accepted.json")
    assert json.loads(note.read_text())["commit"] == head.strip()


def test_nothing_to_accept_or_to_show_is_2(called, tmp_path):
    assert called("baseline", "accept", tmp_path)[::2] == (
        2,
        f"error: no results with a score in {tmp_path / 'records'}; run a suite first\n",
    )
    assert called("history", tmp_path)[0] == 2


def test_what_nobody_minds_is_told_as_it_is():
    """The help is made before the gate is loaded, so that its numbers stand there a second time."""
    told = re.search(r"minds: (.*?) \(the defaults\)", NOT_MINDED)
    assert parsed_within(told[1].replace(", ", ",")) == Tolerance()
