"""How OpenMP's threads should wait for each other: alone on a machine, and beside others that compute.

    python baselines/contention.py                 # two copies at once and one alone, in turns; prints medians

A copy trains an encoder of MiniLM's size, with as many threads as there are cores. Each setting is tried alone and as two
copies at once, one setting after the other in each round, so that what else the machine does meets all of them alike.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence

SETTINGS: dict[str, dict[str, str]] = {
    "default": {},
    "passive": {"OMP_WAIT_POLICY": "PASSIVE"},
    "spin 0": {"GOMP_SPINCOUNT": "0"},
    "spin 1000": {"GOMP_SPINCOUNT": "1000"},
    "spin 3000": {"GOMP_SPINCOUNT": "3000"},
    "spin 10000": {"GOMP_SPINCOUNT": "10000"},
    "spin 100000": {"GOMP_SPINCOUNT": "100000"},
}


def train(steps: int) -> float:
    """Seconds of so many training steps, the first left out; (16, 32) tokens each, as a batch of reviews has."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    torch.manual_seed(0)
    torch.set_num_threads(len(os.sched_getaffinity(0)))
    config = BertConfig(vocab_size=5000, hidden_size=384, num_hidden_layers=6, num_attention_heads=12, intermediate_size=1536)
    model = BertForSequenceClassification(config)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-4)
    ids, labels = torch.randint(0, 5000, (16, 32)), torch.randint(0, 2, (16,))
    started = 0.0
    for step in range(steps + 1):
        if step == 1:
            print("ready", flush=True)
            sys.stdin.readline()
            started = time.perf_counter()
        model(input_ids=ids, labels=labels).loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    return time.perf_counter() - started


def measured(setting: Mapping[str, str], copies: int, steps: int) -> float:
    """Seconds until the last of so many copies that begin together has ended."""
    clean = {name: value for name, value in os.environ.items() if name not in ("OMP_WAIT_POLICY", "GOMP_SPINCOUNT")}
    command = [sys.executable, __file__, "--train", str(steps)]
    running = [
        subprocess.Popen(
            command,
            env={**clean, **setting},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for _ in range(copies)
    ]
    for process in running:
        assert process.stdout and process.stdout.readline() == "ready\n"
    for process in running:
        assert process.stdin
        process.stdin.write("\n")
        process.stdin.flush()
    return max(float(process.communicate()[0]) for process in running)


def compare(settings: Sequence[str], rounds: int, steps: int) -> None:
    found: dict[tuple[str, int], list[float]] = {(name, copies): [] for name in settings for copies in (1, 2)}
    for number in range(rounds):
        for (name, copies), seconds in found.items():
            seconds.append(measured(SETTINGS[name], copies, steps))
            print(f"round {number + 1}: {name}, {copies} at once: {seconds[-1]:.1f} s", file=sys.stderr, flush=True)
    print(f"load {os.getloadavg()[0]:.1f}; against {settings[0]}")
    print("setting        alone s  two at once s  ratio  alone/first  two/first")
    plain, pair = (statistics.median(found[settings[0], copies]) for copies in (1, 2))
    for name in settings:
        one, two = (statistics.median(found[name, copies]) for copies in (1, 2))
        print(f"{name:<14} {one:7.1f} {two:14.1f} {two / one:6.2f} {one / plain:12.2f} {two / pair:10.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--settings", nargs="+", default=list(SETTINGS), choices=list(SETTINGS))
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=30)
    parser.add_argument("--train", type=int, help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.train:
        print(train(asked.train))
    else:
        compare(asked.settings, asked.rounds, asked.steps)


if __name__ == "__main__":
    main()
