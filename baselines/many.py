"""How long commands take with thousands of runs: `python baselines/many.py` makes up the records of a plan, and times commands.

The suite `sentiment` on two encoders has twelve rows that depend on a seed and two that do not: 834 seeds are 10,010 runs.
Seconds are those that a command computed, which a busy machine lengthens less than others; memory is the most it held.
"""

import json
import multiprocessing
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from bench.runs.run import Run

SUITE, MODELS = "sentiment", ["minilm", "tiny-bert"]


def made_up(
    run: "Run", place: int, generator: "np.random.Generator", environment: dict[str, str]
) -> "tuple[dict[str, Any], pa.Table]":
    """A record that says of itself that it is this run's, and its items."""
    import pyarrow as pa

    from baselines.page import answers, record
    from bench.running.recording import setup

    items, accuracy, base = answers(place, 0, generator)
    names = [run.task.name if name == "task-0" else name for name in items["name"].to_pylist()]
    found, _ = record(place, accuracy, base)
    if not run.strategy.trains:
        found["cost"] |= {"train_examples": 0, "train_tokens": 0, "train_flops": 0, "train_seconds": 0.0}
    known = {"engine_version": run.inputs["engine"], "inputs": run.inputs, "environment": environment}
    found |= {"run_id": run.id, "setup": setup(run).model_dump(mode="json"), "provenance": found["provenance"] | known}
    return found, items.set_column(items.schema.get_field_index("name"), "name", pa.array(names))


def write_suite(path: Path) -> None:
    """The suite on both models: more seeds than 1,000 there are not, so that one alone has not so many runs."""
    import yaml

    from bench.specs.library import BUILT_IN

    suite = yaml.safe_load((BUILT_IN / f"{SUITE}.yaml").read_text(encoding="utf-8"))
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.safe_dump({**suite, "models": MODELS}), encoding="utf-8")


def make(suite: Path, out: Path, seeds: int) -> None:
    """In a process of its own: what is loaded here would count as memory of each command that is started afterwards."""
    import numpy as np
    import pyarrow.parquet as pq

    from bench import quiet

    quiet.libraries(False)
    from bench.devices.environment import environment
    from bench.planning.options import PlanOptions
    from bench.planning.plan import plan

    folder, generator = out / "records", np.random.default_rng(0)
    folder.mkdir(parents=True)
    here = environment("cpu", "fp32")
    for place, run in enumerate(plan(PlanOptions(str(suite), seeds=seeds), "auto")):
        found, items = made_up(run, place, generator, here)
        pq.write_table(items, folder / f"{run.id}.parquet")
        (folder / f"{run.id}.json").write_text(json.dumps(found), encoding="utf-8")


def timed(what: str, arguments: Sequence[str]) -> None:
    command = [sys.executable, "-c", "from bench.cli import main; main()", *arguments]
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    if status:
        raise SystemExit(f"{what}: ended with status {os.waitstatus_to_exitcode(status)}")
    print(f"{what}: {used.ru_utime + used.ru_stime:.1f} s CPU, {1024 * used.ru_maxrss / 1e9:.2f} GB", flush=True)


def main(seeds: int = 834, out: Path = Path("out/many")) -> None:
    """Time the commands."""
    suite = out / f"{SUITE}.yaml"
    if not (out / "records").exists():
        write_suite(suite)
        maker = multiprocessing.get_context("spawn").Process(target=make, args=(suite, out, seeds))
        maker.start()
        maker.join()
    shutil.rmtree(out / "summary", ignore_errors=True)
    run, place = ["run", "--suite", str(suite)], ["--out", str(out)]
    timed("dry run of one seed", [*run, "--seeds", "1", "--dry-run", "--out", str(out / "none")])
    timed("dry run, nothing done", [*run, "--seeds", str(seeds), "--dry-run", "--out", str(out / "none")])
    timed("dry run, all done", [*run, "--seeds", str(seeds), "--dry-run", *place])
    timed("results", ["results", *place])
    timed("results again", ["results", *place])
    timed("results --json", ["results", "--json", *place])
    timed("results --json again", ["results", "--json", *place])
    timed("run, all done", [*run, "--seeds", str(seeds), *place])
    timed("run again, all done", [*run, "--seeds", str(seeds), *place])


if __name__ == "__main__":
    typer.run(main)
