"""`make perf`: tunebench's training loop against a plain Trainer script, in turn on the same examples, as ratios of one run."""

import argparse
import statistics
import sys
import tempfile
from pathlib import Path

sys.path[0] = str(Path(__file__).resolve().parent.parent)

from bench import quiet

quiet.libraries(False)

from baselines import plain_trainer
from bench.devices.device import start
from bench.devices.hardware import cpu_name
from bench.planning.plan import PlanOptions, plan
from bench.running import curriculum
from bench.tasks.encoding import Encoding
from bench.training import loop


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", default="smollm2")
    parser.add_argument("--examples", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=3)
    asked = parser.parse_args()
    device = start("fp32")  # as the plain script
    (run,) = plan(
        PlanOptions("sentiment", model=asked.model, strategies=["full"], budget=str(asked.examples)), device.precision
    )
    steps = curriculum.build_curriculum(run, Encoding(run.model, run.max_length)).steps
    examples = [encoded for step in steps for encoded in step]
    rows = [{"input_ids": list(e.ids), "labels": [-100] * (len(e.ids) - e.answer) + list(e.ids[-e.answer :])} for e in examples]
    padding, hyperparameters = loop.Padding(run.checkpoint.tokenizer.pad_token_id), run.strategy.hyperparameters
    ratios = []
    for number in range(asked.rounds):
        ours = loop.train(run.model.load(), steps, hyperparameters, device.accelerator, padding).seconds
        device.accelerator.free_memory()
        with tempfile.TemporaryDirectory() as folder:
            plain = plain_trainer.train(run.model.load(), run.model.tokenizer, rows, run.batch, Path(folder))
        ratios.append(plain / ours)
        print(f"round {number + 1}: plain Trainer {plain:.1f} s, tunebench {ours:.1f} s, ratio {plain / ours:.2f}", flush=True)
    print(f"tunebench trains {statistics.median(ratios):.2f} times as fast, median of {asked.rounds}, {cpu_name()}")


if __name__ == "__main__":
    main()
