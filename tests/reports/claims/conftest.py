"""Rows of one model in which each claim's answer is known beforehand."""

import pytest

from bench.records.record import Cost
from reports.claims import claims as claims_module
from reports.rows.rows import aggregate

CLASSES = {
    "zero-shot": "ZeroShot",
    "few-shot": "FewShot",
    "full": "Full",
    "frozen": "Frozen",
    "lora-8bit": "Adapter",
    "lora-slow": "Adapter",
    "lora-32bit": "Adapter",
    "instruction": "Instruction",
    "multitask": "Mixture",
}
QUESTION = {"engine": 5, "model": "ab" * 32, "precision": "fp32", "batch": 16, "max_length": 256, "task": {"name": "sst2"}}


def costs(seed, **changes):
    fields = {
        "train_examples": 512,
        "train_tokens": 19_648,
        "train_flops": 12_000,
        "train_seconds": 80.0 + seed,
        "eval_seconds": 12.0,
        "peak_memory_bytes": 3_000_000 + 1000 * seed,
        "trainable_parameters": 1000,
        "total_parameters": 1000,
        "saved_bytes": 4000,
        "weight_bytes": 4000,
    }
    return Cost(**(fields | changes))


@pytest.fixture
def rows(make, out):
    """Rows of runs: strategy, accuracy, and what differs from the defaults above; two seeds each."""

    def of(*wanted):
        found = []
        for strategy, accuracy, changes in wanted:
            changes = dict(changes)
            rate, more = changes.pop("rate", 2e-4), changes.pop("hyperparameters", {})
            cost, inputs, away = changes.pop("cost", {}), changes.pop("inputs", {}), changes.pop("away", {})
            for seed in range(changes.pop("seeds", 2)):
                pair = make.record(
                    strategy,
                    seed,
                    accuracy + 0.005 * seed,
                    inputs=QUESTION | {"strategy": CLASSES[strategy], "budget": changes.get("budget", "512examples")} | inputs,
                    hyperparameters={**({} if strategy.endswith("-shot") else {"learning_rate": rate}), **more},
                    cost=costs(seed, **({"train_examples": 0} if strategy.endswith("-shot") else {}) | cost),
                    **changes,
                )
                pair = make.over_best(pair, 110)
                for name, value in away.items():
                    pair = make.elsewhere(pair, name, value, 150)
                found.append(pair)
        return aggregate(make.kept(out, found), out)

    return of


@pytest.fixture
def verdict(rows):
    """What these runs say to one claim."""

    def of(name, *wanted):
        (found,) = claims_module.tested(rows(*wanted)).values()
        return next(each for each in found if each.name == name)

    return of
