"""The examples of CONTRIBUTING.md, taken from the page as they stand, and run."""

import re
import shutil
import sys
from itertools import product
from pathlib import Path

import pytest

from bench.planning import plan
from bench.planning.options import PlanOptions
from bench.progress import Progress
from bench.records import store
from bench.running import execution
from bench.running.assignments import Workplace

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "CONTRIBUTING.md").read_text()
EXAMPLES = dict(re.findall(r"<!-- example: (\S+) -->\n```\w+\n(.*?)```", PAGE, flags=re.DOTALL))


def place(name, folder):
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(EXAMPLES[name])
    return path


def test_the_page_has_all_examples():
    assert set(EXAMPLES) == {
        "tasks/reviews.yaml",
        "tasks/people.yaml",
        "mine.yaml",
        "probes/capitals.yaml",
        "bench/strategies/bias_only.py",
        "suites/strategies/bias-only.yaml",
    }


@pytest.mark.slow
def test_an_own_csv_task_runs(tmp_path, device):
    place("tasks/reviews.yaml", tmp_path)
    suite = place("mine.yaml", tmp_path)
    lines = [f"{'great' if i % 2 else 'awful'} thing number {i},{5 if i % 2 else 1}" for i in range(80)]
    (tmp_path / "tasks" / "reviews.csv").write_text("\n".join(["body,stars", *lines, "so so,3"]))
    runs = plan.plan(PlanOptions(str(suite)), "fp32")
    found = execution.execute(runs, Workplace(tmp_path / "out", device, Progress(False, len(runs))))
    assert [record.status for record in found] == ["ok", "ok"], [record.reason for record in found]
    assert found[1].cost.train_examples == 32
    assert len(store.read_all(tmp_path / "out")) == 2


@pytest.mark.slow
def test_an_own_conll_task_runs(tmp_path, device):
    place("tasks/people.yaml", tmp_path)
    suite = place("mine.yaml", tmp_path)
    suite.write_text(suite.read_text().replace("[reviews]", "[people]"))
    names = ["Ann", "Bob", "Cleo", "Dan", "Eve", "Finn", "Gus", "Hal", "Ida", "Jo"]
    firms = ["Acme", "Borg", "Cargill", "Dell"]
    letters = [
        f"{name} NN B-PER\nLee NN I-PER\nwrote VB O\nto TO O\n{firm} NN B-ORG\nabout IN O\n{subject} NN O\n"
        for name, firm, subject in product(names, firms, ["bread", "rain", "bicycles"])
    ]
    (tmp_path / "tasks" / "letters.conll").write_text("\n".join(letters))
    runs = plan.plan(PlanOptions(str(suite)), "fp32")
    found = execution.execute(runs, Workplace(tmp_path / "out", device, Progress(False, len(runs))))
    assert [record.status for record in found] == ["ok", "ok"], [record.reason for record in found]
    assert set(found[1].outcome.metrics) == {"entity_f1", "entity_f1_strict", "entity_f1_seen", "entity_f1_unseen"}


@pytest.mark.slow
def test_an_own_probe_is_measured(tmp_path, device, decoder_folder):
    place("tasks/reviews.yaml", tmp_path)
    place("probes/capitals.yaml", tmp_path)
    suite = place("mine.yaml", tmp_path)
    suite.write_text(suite.read_text().replace("[mrpc]", "[capitals]").replace("[zero-shot, full]", "[zero-shot]"))
    (tmp_path / "tasks" / "reviews.csv").write_text(
        "body,stars\n" + "\n".join(f"thing {i},{1 + 4 * (i % 2)}" for i in range(40))
    )
    sentence = (
        '{"sentence": "The capital of France is", "word": "Paris"}\n{"sentence": "The capital of Spain is", "word": "Madrid"}\n'
    )
    (tmp_path / "probes" / "capitals.jsonl").write_text(sentence)
    runs = plan.plan(PlanOptions(str(suite), model=str(decoder_folder)), "fp32")
    (record,) = execution.execute(runs, Workplace(tmp_path / "out", device, Progress(False, 1)))
    assert record.outcome.forgetting["capitals"].n == 2


@pytest.mark.slow
def test_an_own_strategy_is_one_file_and_its_defaults(tmp_path):
    """In a copy of the engine, since the strategy belongs beside the others."""
    import json
    import subprocess

    for part in ("bench", "suites", "reports"):
        shutil.copytree(ROOT / part, tmp_path / part, ignore=shutil.ignore_patterns("__pycache__"))
    place("bench/strategies/bias_only.py", tmp_path)
    place("suites/strategies/bias-only.yaml", tmp_path)
    tiny = ["--model", "tiny-bert", "--budget", "16", "--test-items", "10", "--probe-items", "4"]
    done = subprocess.run(
        [sys.executable, "bench/run.py", "--suite", "sentiment", "--strategies", "bias-only", *tiny],
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    (path,) = (tmp_path / "out" / "records").glob("*.json")
    record = json.loads(path.read_text())
    assert record["setup"]["strategy"] == "bias-only"
    assert 0 < record["cost"]["trainable_parameters"] < record["cost"]["total_parameters"] / 10
