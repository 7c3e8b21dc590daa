"""Whole runs in bf16, as on a GPU or a CPU with AMX, on any machine: self-tests that expect fp32's digits would fail them."""

import json
import os
import subprocess
import sys

import pytest
from ways import VALIDATION_ITEMS

SMALL = ["--budget", "32examples", "--test-items", "12", "--probe-items", "4"]
# The base is asked in both wordings on few validation items, as in other tests.
FEW = f"from bench.measuring import best_wording; best_wording.VALIDATION_ITEMS = {VALIDATION_ITEMS}"
COMMAND = f"{FEW}; from bench.cli import main; main()"


@pytest.mark.slow
@pytest.mark.parametrize(
    ("suite", "model", "strategies"),
    [
        ("sentiment", "shallow", "few-shot,full,frozen,lora-8bit,multitask"),
        ("sentiment", "tiny-bert", "zero-shot,few-shot,full,frozen,lora-8bit,instruction,multitask"),
        ("ner", "tiny-bert", "full,frozen"),
        ("qa", "tiny-bert", "full,frozen"),
    ],
)
def test_every_strategy_passes_its_self_tests(tmp_path, own_cache, shallow_folder, suite, model, strategies):
    """In a process of its own, since Accelerate's precision is all of a process's."""
    named = str(shallow_folder) if model == "shallow" else model
    asked = ["--suite", suite, "--model", named, "--strategies", strategies, "--precision", "bf16", "--out", str(tmp_path)]
    command = [sys.executable, "-c", COMMAND, "run", *asked, *SMALL]
    done = subprocess.run(command, env=os.environ | {"OMP_NUM_THREADS": "1"}, capture_output=True, text=True, timeout=900)
    records = [json.loads(path.read_text()) for path in (tmp_path / "records").glob("*.json")]
    assert done.returncode == 0, [record["reason"] for record in records if record["reason"]] or done.stderr[-3000:]
    assert len(records) >= len(strategies.split(","))
    scored = [record for record in records if record["status"] == "ok"]
    assert scored and all(record["provenance"]["device"]["precision"] == "bf16" for record in scored)
    assert all(all(record["trust"]["checks"].values()) for record in scored)
