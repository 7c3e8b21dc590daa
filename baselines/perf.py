"""`make perf`: tunebench's training loop against a plain Trainer script, with random batches and grouped by length.

All three train every weight on the same examples in the same batches' size, one after another in each round; the ratios are
of one round, and their median is told. On a machine that others use too, the processor's time is the steadier of the two.
"""

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bench import quiet

quiet.libraries(False)

from bench.devices.device import Device, start
from bench.devices.hardware import cpu_name
from bench.planning.plan import PlanOptions, plan
from bench.running import curriculum
from bench.running.adaptation import adapted
from bench.running.run import Run
from bench.strategies.base import Hyperparameters
from bench.tasks.encoding import Encoding
from bench.tokens.encoded import Encoded
from bench.training import loop

ORDERS = {"random": "random batches", "group_by_length": "grouped by length"}
Times = tuple[float, float]
"""Seconds by the wall clock, and of the processor."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--models", nargs="+", default=["smollm2", "minilm"])
    parser.add_argument("--examples", help="by default the suite's own budget")
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    device = start("fp32")  # as the plain script
    for name in asked.models:
        (run,) = plan(PlanOptions("sentiment", model=name, strategies=["full"], budget=asked.examples), "fp32")
        compare(run, device, asked.rounds)


def compare(run: Run, device: Device, rounds: int) -> None:
    steps = curriculum.build_curriculum(run, Encoding(run.checkpoint, run.max_length)).steps
    ratios: dict[str, list[Times]] = {order: [] for order in ORDERS}
    for number in range(rounds):
        mine = ours(run, steps, device)
        print(f"{run.model.name}, round {number + 1}: tunebench {mine[0]:.1f} s", end="", flush=True)
        for order, words in ORDERS.items():
            other = plain(run, steps, order)
            ratios[order].append((other[0] / mine[0], other[1] / mine[1]))
            print(f", Trainer with {words} {other[0]:.1f} s", end="", flush=True)
        print()
    for order, words in ORDERS.items():
        wall, processor = (statistics.median(column) for column in zip(*ratios[order], strict=True))
        print(
            f"{run.model.name}: tunebench trains {wall:.2f} times as fast as Trainer with {words} "
            f"({processor:.2f} times by the processor's time), median of {rounds}, {cpu_name()}"
        )


def ours(run: Run, steps: list[list[Encoded]], device: Device) -> Times:
    hyperparameters = run.strategy.hyperparameters
    assert isinstance(hyperparameters, Hyperparameters)
    model, worked = adapted(run, device), time.process_time()
    padding = loop.Padding(run.checkpoint.tokenizer.pad_token_id)
    seconds = loop.train(model, steps, hyperparameters, device.accelerator, padding).seconds
    worked = time.process_time() - worked
    device.accelerator.free_memory()
    return seconds, worked


def plain(run: Run, steps: list[list[Encoded]], order: str) -> Times:
    """The plain script in a process of its own."""
    rows = [row(encoded) for step in steps for encoded in step]
    rate = getattr(run.strategy.hyperparameters, "learning_rate")  # noqa: B009
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "rows.json")
        path.write_text(json.dumps(rows))
        script = str(Path(__file__).with_name("plain_trainer.py"))
        words = [sys.executable, script, run.checkpoint.folder, path, run.model.family, order, run.batch, rate]
        done = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=True)
    wall, processor = map(float, done.stdout.splitlines()[-1].split())
    return wall, processor


def row(encoded: Encoded) -> dict[str, Any]:
    ids = list(encoded.ids)
    if encoded.decodes:
        return {"input_ids": ids, "labels": [-100] * (len(ids) - encoded.answer) + ids[-encoded.answer :]}
    return {"input_ids": ids, "token_type_ids": list(encoded.types), "labels": encoded.labels[0]}


if __name__ == "__main__":
    main()
