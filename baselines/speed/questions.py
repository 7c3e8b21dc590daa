"""What `make perf` trains on and asks: small suites of their own, and the questions of a decoder as text for other programs."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import yaml

from bench.inference.backend import Backend, Continuation, Likelihood
from bench.inference.predictions import predict
from bench.measuring.evaluation import eval_sets
from bench.probes import probe_class
from bench.runs.run import Run
from bench.specs.library import Library
from bench.tasks import splits
from bench.tasks.encoding import Encoding
from bench.tokens.encoded import Encoded
from bench.tokens.token_counts import TokenCounts, useful_counts

ITEMS = {"likelihood": 872, "few-shot": 100, "instruction": 200, "lambada": 200}
"""Questions of each kind: the task plainly asked, with solved examples before each, as a chat under an instruction, and the
last word of a passage."""


def write_suite(folder: Path, model: str, examples: int) -> None:
    """A suite whose task has so many training examples, and in all else is the one of the suite `sentiment`."""
    library = Library()
    task, suite = library.task("sst2"), library.suite("sentiment")
    (folder / "tasks").mkdir(parents=True)
    with open(folder / "few.csv", "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        known, wanted = splits.load_training(task).train, round(examples / 0.9)  # of which validation takes its share
        drawn = known[:: len(known) // wanted][:wanted]
        writer.writerows([example.fields["text"], example.gold] for example in drawn)
    given = yaml.safe_load(library.find("task", "tasks", "sst2").read_text())
    source = {"path": str(folder / "few.csv"), "columns": {"text": "text", "label": "label"}}
    few = {**given, "name": "few", "train": source, "validation": {"share": 0.1}}
    few.pop("cluster")
    (folder / "tasks" / "few.yaml").write_text(yaml.safe_dump(few))
    own = {"models": [model], "tasks": ["few"], "strategies": ["full"], "budget": f"{examples}examples"}
    kept = suite.model_dump(include={"version", "probes", "probe_items", "encoder_probe_items", "batch", "max_length"})
    (folder / "speed.yaml").write_text(yaml.safe_dump({"name": "speed", "description": "make perf", **kept, **own}))


@dataclass
class Asked(Backend):
    """A backend without a model that keeps what it is asked."""

    run: Run
    requests: list[Continuation] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.name, self.can, self.device = self.run.model.name, self.run.model.can, None

    def loglikelihoods(self, requests: Sequence[Continuation]) -> list[Likelihood]:
        self.requests += requests
        return [Likelihood((-1.0,) * len(answer), True, tuple(answer)) for _, answer in requests]

    @property
    def work(self) -> TokenCounts:
        """Of reading each context once, with its first answer."""
        first = dict(reversed(self.requests))
        return useful_counts(Encoded((*context, *answer), answer=len(answer)) for context, answer in first.items())

    def texts(self, gold: Sequence[int]) -> list[dict[str, Any]]:
        """Each question as another program takes it."""
        decode = self.run.checkpoint.tokenizer.decode
        asked: dict[tuple[int, ...], list[str]] = {}
        for context, answer in self.requests:
            asked.setdefault(tuple(context), []).append(decode(answer))
        return [
            {"context": decode(context), "choices": choices, "gold": right}
            for (context, choices), right in zip(asked.items(), gold, strict=True)
        ]


def answered(backend: Backend, run: Run, name: str, share: float) -> tuple[float, list[int]]:
    """The share of right answers to a kind of question, and the number of each right answer among its choices."""
    encoding, items = Encoding(run.checkpoint, run.max_length), max(2, round(ITEMS[name] * share))
    if name == "lambada":
        spec = Library().probe("lambada")
        found = probe_class(spec)(spec, encoding, items).measure(backend)
        return float(found["right"].mean()), [0] * len(found)
    test = replace(eval_sets(run, encoding).test, items=None if items >= ITEMS["likelihood"] else items)
    found = predict(backend, test)
    labels = run.task.labels
    return float((found["prediction"] == found["gold"]).mean()), [labels.index(gold) for gold in found["gold"]]
