"""What keeping the states of layers that never change is worth: examples a second of `full` and `frozen`, and a search's time.

    python baselines/replay.py --model minilm --examples 320 --rounds 3

Each round trains `full` and `frozen` for two epochs, and searches over four learning rates of `frozen`, each with and without
kept states, in turn. Times are the processor's, so that others who use the machine disturb them less.
"""

import argparse
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from itertools import pairwise
from statistics import median
from unittest import mock

from accelerate.utils import set_seed
from torch import nn

from bench import quiet
from bench.devices.device import Device, start
from bench.modeling.replay.activations import kept_states
from bench.planning import plan
from bench.planning.options import PlanOptions
from bench.progress import Progress
from bench.running import adaptation
from bench.running.curriculum import build_curriculum
from bench.running.trial import Trial, perform_trial
from bench.runs.run import Run
from bench.strategies import with_values
from bench.strategies.base import Hyperparameters
from bench.tasks.encoding import Encoding
from bench.training.loop import Padding, train
from bench.training.state import TrainingState

RATES = (1e-4, 2e-4, 4e-4, 8e-4)


@contextmanager
def keeping(on: bool) -> Iterator[None]:
    """Kept states or none, beginning with none that were kept before."""
    kept_states().clear()
    with nullcontext() if on else mock.patch.object(adaptation, "replay_fixed_blocks", lambda *_: False):
        yield


def epochs(run: Run, device: Device) -> list[float]:
    """Seconds of the processor for each of two epochs."""
    steps = build_curriculum(run, Encoding(run.checkpoint, run.max_length)).steps
    set_seed(0)
    model, marks = adaptation.adapted(run, device), [time.process_time()]

    def watch(_: nn.Module, state: TrainingState) -> bool:
        if state.step % len(steps) == 0:
            marks.append(time.process_time())
        return False

    pad, hyperparameters = run.checkpoint.tokenizer.pad_token_id, run.strategy.hyperparameters
    assert isinstance(hyperparameters, Hyperparameters)  # both rows train
    train(model, [*steps, *steps], hyperparameters, device.accelerator, Padding(pad), watches=[watch])
    return [end - begin for begin, end in pairwise(marks)]


def search(run: Run, device: Device, items: int) -> float:
    """Seconds of the processor for one trial of each rate."""
    started = time.process_time()
    for rate in RATES:
        values = {"learning_rate": rate}
        tried = replace(run, strategy=with_values(run.strategy, values))
        perform_trial(Trial(tried, values, items), device, Progress(False, 1))
    return time.process_time() - started


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="minilm")
    parser.add_argument("--examples", type=int, default=320)
    parser.add_argument("--items", type=int, default=128)
    parser.add_argument("--rounds", type=int, default=3)
    given = parser.parse_args()
    quiet.libraries(False)
    device, took = start("fp32"), defaultdict[str, list[float]](list)
    options = PlanOptions("sentiment", model=given.model, strategies=["full", "frozen"], budget=str(given.examples))
    full, frozen = plan.plan(options, "fp32")
    for _ in range(given.rounds):
        took["full"].append(epochs(full, device)[1])
        for on, word in ((False, "frozen"), (True, "frozen, kept")):
            with keeping(on):
                for number, seconds in enumerate(epochs(frozen, device), 1):
                    took[f"{word}, pass {number}"].append(seconds)
        for on, word in ((False, "search"), (True, "search, kept")):
            with keeping(on):
                took[word].append(search(frozen, device, given.items))
    for name, times in took.items():
        print(f"{name:24} {median(times):7.2f} s of CPU ({min(times):.2f} to {max(times):.2f})")
    for words, over, under in (
        ("frozen : full, examples a second, pass 2", "full", "frozen, kept, pass 2"),
        ("the same without kept states", "full", "frozen, pass 2"),
        ("a search's time, kept : not", "search, kept", "search"),
    ):
        ratios = [a / b for a, b in zip(took[over], took[under], strict=True)]
        print(f"{words:42} {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")


if __name__ == "__main__":
    main()
