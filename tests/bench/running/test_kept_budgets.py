"""Budgets in seconds on a real clock, and memory ceilings by what was held, in processes of their own.

Trainings of 20 seconds are for a quiet machine, and are done when they are asked for: all 16 of the strategies that train, on
both families, by `TUNEBENCH_SECONDS=all pytest -m slow tests/bench/running/test_kept_budgets.py`, and four of them by
`TUNEBENCH_SECONDS=few`. A test that any busy neighbour can fail is none for CI.
"""

import functools
import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest
from trained import TRAINED

from bench.running.memory_ceiling import _state_bytes, fit, most_held

ROOT = Path(__file__).parents[3]
FEW = {"encoder": ["full", "multitask"], "decoder": ["frozen", "lora-8bit"]}
"""Between them: two trainings in fp32 to a different depth, one in 8 bit, and a mixture."""
# How long the process was ready to go on and no core was free: the second number of Linux's schedstat, in nanoseconds.
COMMAND = """
import atexit, pathlib, sys
def told():
    ready = pathlib.Path("/proc/self/schedstat")
    print("waited", int(ready.read_text().split()[1]) / 1e9 if ready.exists() else -1)
atexit.register(told)
from bench.cli import main
main(sys.argv[1:])
"""


def done(model, strategies, out, *options):
    """The records of a command by strategy, and whether the machine was busy meanwhile: others had the cores for more than 1 %
    of the time by the scheduler's count or the hypervisor's; where nobody counts, more wanted a core than there are."""
    small = [
        "--suite",
        "sentiment",
        "--model",
        model,
        "--strategies",
        ",".join(strategies),
        "--test-items",
        8,
        "--probe-items",
        4,
    ]
    words = [sys.executable, "-c", COMMAND, "run", *map(str, small), *options, "--out", str(out)]
    environment = os.environ | {"PYTHONPATH": str(ROOT), "OMP_NUM_THREADS": "1"}
    began, stolen = time.monotonic(), -_stolen()
    ended = subprocess.run(words, env=environment, capture_output=True, text=True, timeout=1500)
    seconds, stolen = time.monotonic() - began, stolen + _stolen()
    assert ended.returncode == 0, ended.stderr[-2000:]
    waited = float(ended.stdout.rsplit("waited ", 1)[1])
    crowded = os.getloadavg()[0] > os.cpu_count() if waited < 0 else waited > 0.01 * seconds
    records = [json.loads(path.read_text()) for path in (out / "records").glob("*.json")]
    return {record["setup"]["strategy"]: record for record in records}, crowded or stolen > 0.01 * seconds


def _stolen():
    """Seconds of each core that the hypervisor gave to other machines, where it says so."""
    return getattr(psutil.cpu_times(), "steal", 0.0) / os.cpu_count()


def spent(record):
    return record["spending"]["limits"]["seconds"]["spent"]


@pytest.mark.slow
@pytest.mark.skipif("TUNEBENCH_SECONDS" not in os.environ, reason="the clock of a quiet machine: TUNEBENCH_SECONDS=few or =all")
@pytest.mark.parametrize("family", FEW)
def test_twenty_seconds_are_kept_to_two_per_cent(own_cache, decoder_folder, tmp_path, family):
    """A second time where the machine was busy: a last step may then take several times what it was expected to take."""
    model = "tiny-bert" if family == "encoder" else str(decoder_folder)
    wanted = TRAINED if os.environ.get("TUNEBENCH_SECONDS") == "all" else FEW[family]
    found, busy = done(model, wanted, tmp_path / "first", "--budget", "20s")
    missed = [name for name in wanted if not 19.6 <= spent(found[name]) <= 20.4]
    if missed and busy:
        found |= done(model, missed, tmp_path / "second", "--budget", "20s")[0]
    print(
        {name: round(spent(record), 3) for name, record in found.items()}, "busy" if busy else "quiet", "missed first:", missed
    )
    assert found.keys() == set(wanted)
    for name, record in found.items():
        assert record["status"] == "ok" and record["spending"]["ended_by"] == "seconds", name
        assert 19.6 <= spent(record) <= 20.4, name
        assert spent(record) == record["cost"]["train_seconds"] and len(record["outcome"]["losses"]) > 30


CEILINGS = {"encoder": ["full", "frozen", "lora-8bit"], "decoder": ["full"]}
"""Family -> strategies that are done under a ceiling, and without one. In fp32, as all tests: in bf16 the library keeps memory
for every shape of a product, and no ceiling (docs/method/costs.md)."""
UNDROPPED = ["--set", "dropout=0"]  # each micro-batch draws anew


@pytest.fixture(scope="module")
def unlimited(own_cache, decoder_folder, tmp_path_factory):
    """MiniLM and a small decoder: by family the model's name, its records by strategy, and the folder in which they lie."""

    @functools.cache
    def found(family):
        model, out = "minilm" if family == "encoder" else str(decoder_folder), tmp_path_factory.mktemp(family)
        return model, done(model, CEILINGS[family], out, "--budget", "96examples", *UNDROPPED)[0], out

    return found


@pytest.mark.slow
@pytest.mark.parametrize(("family", "strategy"), [(family, each) for family, several in CEILINGS.items() for each in several])
def test_a_memory_ceiling_is_kept_and_moves_no_number(unlimited, planned, tmp_path, family, strategy):
    """Micro-batches may have a quarter of their usual activations."""
    model, plain, out = unlimited(family)
    whole = fit(planned(strategy, suite="sentiment", model=model, budget="96"), 60)
    limit = round(most_held(_state_bytes(whole) + whole.memory.activations / 4))
    kept, _ = done(model, [strategy], tmp_path, "--budget", f"96examples,{limit}B", *UNDROPPED)
    one, two = plain[strategy], kept[strategy]
    assert two["status"] == "ok", two["reason"]
    assert two["spending"]["kept_by"].startswith("micro-batches of 25") and one["spending"]["kept_by"] is None
    held = two["spending"]["limits"]["memory"]["spent"]
    print(
        family, strategy, f"{held / 1e6:.0f} of {limit / 1e6:.0f} MB; without {one['cost']['peak_memory_bytes'] / 1e6:.0f} MB"
    )
    assert 0 < held <= limit
    # In 8 bit a number's rounding hangs on what else is in its product.
    assert two["outcome"]["losses"] == pytest.approx(one["outcome"]["losses"], rel=2e-3 if strategy == "lora-8bit" else 1e-4)
    answers = [
        pd.read_parquet(folder / "records" / f"{record['run_id']}.parquet")["prediction"]
        for folder, record in ((out, one), (tmp_path, two))
    ]
    assert answers[0].equals(answers[1]) and two["outcome"]["score"] == one["outcome"]["score"]
