"""baselines/defaults.py: which rates it would make defaults, from searches that are made up, and once for real in small."""

import gzip
import importlib.util
import json
from pathlib import Path

import pytest
import yaml

from bench.records.record import TrialSummary, Tuning

ROOT = Path(__file__).parents[1]
_spec = importlib.util.spec_from_file_location("defaults", ROOT / "baselines" / "defaults.py")
defaults = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(defaults)

RATES = (4e-5, 1e-5, 1e-4, 4e-4)


def search(task, scores, strategy="full", family="decoder", higher=True):
    tried = [
        TrialSummary(ids=[], hyperparameters={"learning_rate": rate}, status="failed" if score is None else "ok", score=score)
        for rate, score in zip(RATES, scores, strict=True)
    ]
    known = [number for number, score in enumerate(scores) if score is not None]
    chosen = (max if higher else min)(known, key=scores.__getitem__)
    tuning = Tuning(
        trials=4, seeds=2, share=1.0, sampler="random", items=8, tried=tried, chosen=chosen, higher_is_better=higher
    )
    return defaults.Searched(family, strategy, task, tuning)


def test_the_rate_is_that_which_costs_least_over_all_tasks():
    """Behind the best: .10 and .05 on average for the first, .00 and .08 for the third, which alone is second on one task."""
    found = [search("a", [0.80, 0.70, 0.90, 0.10]), search("b", [0.55, 0.60, 0.52, 0.10])]
    best = defaults.best_rates(found)["full"]["decoder"]
    assert best["values"] == {"learning_rate": 1e-4} and best["behind_the_best"] == pytest.approx(0.04)
    assert best["tasks"]["b"] == {
        "score": 0.52,
        "default": 0.55,
        "best_alone": {"score": 0.60, "values": {"learning_rate": 1e-5}},
    }


def test_a_trial_that_failed_on_any_task_is_out_and_less_can_be_better():
    found = [search("a", [3.0, 4.0, None, 2.9], higher=False), search("b", [0.5, 0.6, 0.9, None])]
    assert defaults.best_rates(found)["full"]["decoder"]["values"] == {"learning_rate": 4e-5}
    lost = [search("a", [0.5, None, None, None]), search("b", [None, 0.6, None, None])]
    assert defaults.best_rates(lost)["full"]["decoder"]["values"] is None


def test_families_and_strategies_have_their_own():
    found = [search("a", [0.1, 0.2, 0.3, 0.4]), search("a", [0.4, 0.3, 0.2, 0.1], family="encoder")]
    found += [search("a", [0.1, 0.5, 0.2, 0.2], strategy="frozen")]
    rates = defaults.best_rates(found)
    assert {(name, family): best["trial"] for name, families in rates.items() for family, best in families.items()} == {
        ("full", "decoder"): 3,
        ("full", "encoder"): 0,
        ("frozen", "decoder"): 1,
    }


def test_one_seed_is_refused(capsys):
    with pytest.raises(SystemExit):
        defaults.main(["--seeds", "1"])
    assert "give 2 or more" in capsys.readouterr().err


@pytest.mark.slow
def test_a_small_search_for_real_writes_both_files_and_goes_on_where_it_was(tmp_path, capsys):
    small = ["--trials", "2", "--suites", "sentiment", "--models", "tiny-bert", "--strategies", "full", "lora-8bit"]
    small += ["--budget", "32", "--items", "12", "--out", str(tmp_path / "out"), "--to", str(tmp_path)]
    defaults.main(small)
    content = yaml.safe_load((tmp_path / "defaults.yaml").read_text())
    assert content["trials"] == 2 and content["seeds"] == 2 and set(content["strategies"]) == {"full", "lora-8bit"}
    assert content["strategies"]["full"]["encoder"]["values"]["learning_rate"] > 0
    assert set(content["seed_sd"]) == {"full, encoder", "lora-8bit, encoder"}
    packed = (tmp_path / "defaults.jsonl.gz").read_bytes()
    trainings = [json.loads(line) for line in gzip.decompress(packed).decode().splitlines()]
    assert len(trainings) == 2 * 2 * 2 and {each["setup"]["seed"] for each in trainings} == {1000, 1001}
    assert len(packed) < 8000 and "learning_rate" in capsys.readouterr().out
    defaults.main(small)
    assert (tmp_path / "defaults.jsonl.gz").read_bytes() == packed
