"""What batches of like length, and no dropout in the frozen part, do to scores: each seed trained either way, and compared.

    python baselines/batching.py --model minilm --strategies full frozen --seeds 5

`plain` takes the shuffle's examples in its own order, with dropout everywhere, as up to engine version 4; `alike` is today's
order with dropout everywhere; `today` has none in the frozen part. Scores are of the whole test set.
"""

import argparse
import statistics
import sys
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from pathlib import Path
from unittest import mock

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import quiet

quiet.libraries(False)

from accelerate.utils import set_seed
from scipy import stats

from bench.devices.device import Device, start
from bench.inference.local import LocalBackend
from bench.inference.predictions import predict
from bench.measuring.evaluation import eval_sets
from bench.measuring.scoring import worth
from bench.planning.options import PlanOptions
from bench.planning.plan import plan
from bench.running import curriculum
from bench.running.adaptation import adapted
from bench.runs.run import Run
from bench.strategies.base import Hyperparameters
from bench.tasks.encoding import Encoding
from bench.tokens import batches
from bench.training import loop


def as_drawn(seed: int, size: int, length: Callable[[int], int], batch: int) -> Iterator[int]:
    return batches.order(seed, size)


def score(run: Run, device: Device, way: str) -> float:
    """The task's first metric on its test set after training in one of the ways."""
    encoding = Encoding(run.checkpoint, run.max_length)
    with mock.patch.object(curriculum, "order_by_length", as_drawn if way == "plain" else batches.order_by_length):
        steps = curriculum.build_curriculum(run, encoding).steps
    set_seed(run.seed)
    model, hyperparameters = adapted(run, device), run.strategy.hyperparameters
    assert isinstance(hyperparameters, Hyperparameters)
    # Where layers that never change keep their dropout, nothing is fixed.
    with nullcontext() if way == "today" else mock.patch.object(loop, "fixed", lambda model: []):
        loop.train(model, steps, hyperparameters, device.accelerator, loop.Padding(run.checkpoint.tokenizer.pad_token_id))
    device.accelerator.free_memory()
    test = eval_sets(run, encoding).test
    return worth(predict(LocalBackend(model, run.checkpoint, device), test), run.task.metrics[0])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--suite", default="sentiment")
    parser.add_argument("--model", default="minilm")
    parser.add_argument("--strategies", nargs="+", default=["full", "frozen"])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--budget")
    asked = parser.parse_args()
    device = start("fp32")
    print("| strategy | way | " + " | ".join(f"seed {seed}" for seed in range(asked.seeds)) + " | mean | against plain |")
    print("|---|---|" + "---:|" * (asked.seeds + 2))
    for name in asked.strategies:
        runs = plan(PlanOptions(asked.suite, asked.model, None, [name], asked.seeds, asked.budget), "fp32")
        plain: list[float] = []
        # Where everything trains, or adapters in each block, there is nothing for `today` to leave out of dropout.
        for way in ("plain", "alike", "today") if name == "frozen" else ("plain", "today"):
            scores = [score(run, device, way) for run in runs]
            plain = plain or scores
            shown = [f"{value:.3f}".lstrip("0") for value in (*scores, statistics.fmean(scores))]
            print(f"| {name} | {way} | {' | '.join(shown)} | {against(scores, plain)} |", flush=True)


def against(scores: list[float], plain: list[float]) -> str:
    """The mean difference, paired by seed, with its 95 % interval (Student's t)."""
    rises = [score - other for score, other in zip(scores, plain, strict=True)]
    if scores is plain or len(rises) < 2:
        return "–"
    half = float(stats.t.ppf(0.975, len(rises) - 1)) * statistics.stdev(rises) / len(rises) ** 0.5
    mean = statistics.fmean(rises)
    return f"{mean:+.3f} [{mean - half:+.3f}, {mean + half:+.3f}]"


if __name__ == "__main__":
    main()
