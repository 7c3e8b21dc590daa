"""A record with all that can be published, made by the engine's own measures of answers that no model gave."""

import json
from functools import cache
from types import SimpleNamespace

import numpy as np
import pandas as pd

from bench.measuring import measures
from bench.measuring.base_results import BaseAnswers, BaseResults
from bench.measuring.evaluation import Evaluation
from bench.measuring.item_table import item_table
from bench.probes.cloze import Cloze
from bench.probes.lm_loss import LmLoss
from bench.probes.similarity import Similarity
from bench.records import store
from bench.records.outcome import Outcome
from bench.records.record import Record
from reports.audit.findings import audit

METRICS = {
    "sst2": ["accuracy", "f1_macro"],
    "people": ["entity_f1", "entity_f1_strict", "entity_precision", "entity_f1_macro", "entity_word_f1"],
    "questions": ["squad_f1", "squad_em"],
    "plots": ["perplexity", "bits_per_byte"],
}
TAGS = ["O", "O", "B-PER", "I-PER", "B-ORG", "I-ORG"]
WORDS = ["The Ann", "a Bob", "Carl, Dee", "", "an egg"]
WORDINGS = ["say {text}", "{text}?"]
KINDS = {"wikipedia": LmLoss, "lambada": Cloze, "mrpc": Similarity}
SHAPES = [
    [{"name": name, "kind": kind, "options": {}}, 30]
    for name, kind in zip(KINDS, ["lm-loss", "cloze", "similarity"], strict=True)
]


def answered(task, seed, count=40):
    """Gold values and predictions of one task; the seed gives the predictions, the gold values are the same for all."""
    fixed, drawn = np.random.default_rng(5), np.random.default_rng(seed)

    def some(generator):
        if task == "sst2":
            return str(generator.choice(["positive", "negative"]))
        if task == "people":
            return [str(tag) for tag in generator.choice(TAGS, 6)]
        return str(generator.choice(WORDS))

    frame = pd.DataFrame({"item": [f"test-{n}" for n in range(count)], "gold": [some(fixed) for _ in range(count)]})
    frame["prediction"] = [some(drawn) for _ in range(count)]
    if task == "sst2":
        frame["truncated"] = drawn.random(count) < 0.1
    if task == "questions":
        frame["gold"] = [[gold, "Bob"] if gold else [] for gold in frame["gold"]]
        frame["malformed"], frame["unfinished"] = drawn.random((2, count)) < 0.1
        frame["answerable"] = [float(drawn.random() < 0.9) if gold else None for gold in frame["gold"]]
    if task == "plots":
        sizes = np.random.default_rng(6).integers(20, 400, count)
        frame["gold"] = ""
        frame["prediction"] = [
            [float(nats), float(n), 4.0 * n] for n, nats in zip(sizes, sizes * drawn.uniform(3, 4, count), strict=True)
        ]
    return frame.assign(confidence=0.5)


def probed(name, seed, count=30):
    """Items in pairs, but for some that belong to nothing."""
    drawn = np.random.default_rng(seed)
    values = drawn.normal(-3, 1, count)
    items = pd.DataFrame({"cluster": [None if n % 10 == 0 else f"article {n // 2}" for n in range(count)], "weight": 1.0})
    if name == "wikipedia":
        sizes = np.random.default_rng(3).integers(50, 200, count).astype(float)
        return items.assign(value=-values, weight=sizes, bytes=5 * sizes)
    if name == "lambada":
        return items.assign(value=values, gold="word", right=(values > -3).astype(float))
    return items.assign(value=drawn.random(count), gold=[str(n % 2) for n in range(count)])


def stand_in(name):
    """The engine's probe without a model or data, for its way of making numbers."""
    probe = object.__new__(KINDS[name])
    probe.spec, probe.rows, probe.graded = SimpleNamespace(name=name), [], False
    return probe


def evalset(task):
    spec = SimpleNamespace(metrics=METRICS[task], paraphrases=lambda split: WORDINGS, name=task)
    return SimpleNamespace(task=SimpleNamespace(spec=spec))


@cache
def scored(task="sst2", seed=0) -> tuple[Record, pd.DataFrame]:
    """A record and its items."""
    away = [name for name in METRICS if name != task]
    sets = SimpleNamespace(elsewhere={name: evalset(name) for name in away}, test=evalset(task))
    run = SimpleNamespace(strategy=SimpleNamespace(trains=True))
    session = SimpleNamespace(sets=sets, probes=[stand_in(name) for name in KINDS], run=run)
    stages = ["people", task]

    def base(name):
        return BaseAnswers(answered(name, 100), answered(name, 101), "instruction")

    before = BaseResults(
        base(task),
        elsewhere={name: base(name) for name in away},
        probes={name: probed(name, 102) for name in KINDS},
        rounded={name: probed(name, 103) for name in KINDS},
        stages=[answered(name, 104) for name in stages],
    )
    after = Evaluation(
        answered(task, seed),
        elsewhere={name: answered(name, seed + 1) for name in away},
        probes={name: probed(name, seed + 2) for name in KINDS},
        paraphrases=() if task == "plots" else tuple(answered(task, seed + 3 + n, 20) for n in range(2)),
    )
    frames = [[answered(name, seed + 10 + stage) for name in stages] for stage in range(2)]
    evalsets = [evalset(name) for name in stages]
    base_scores = measures.stage_scores(evalsets, before.stages)
    forgotten = measures.forgetting(session, before, after)
    outcome = Outcome(
        **measures.of_task(sets.test, before.test, after.test, session.run.strategy.trains),
        elsewhere=measures.elsewhere(session, before, after),
        robustness=measures.robustness(sets.test, after),
        forgetting=forgotten,
        relative_forgetting=measures.relative_forgetting(session.probes, forgotten),
        stages=measures.stages(stages, base_scores, [measures.stage_scores(evalsets, part) for part in frames]),
        losses=[0.7, 0.5],
    )
    told = [[frame[["item", "gold", "prediction"]].to_dict("records") for frame in part] for part in frames]
    wordings = WORDINGS if after.paraphrases else []
    return _record(task, seed, outcome), item_table(task, before, after, wordings, stages, told)


def _record(task, seed, outcome) -> Record:
    setup = {"suite": "s", "model": "m", "task": task, "strategy": "full", "hyperparameters": {}, "seed": seed, "budget": "1"}
    provenance = {"versions": {}, "device": {}, "inputs": {"probes": SHAPES, "task": {"name": task}, "seed": seed}}
    costs = "train_examples train_tokens train_flops train_seconds eval_seconds peak_memory_bytes"
    cost = dict.fromkeys([*costs.split(), "trainable_parameters", "total_parameters", "saved_bytes"], 1)
    return Record(run_id=f"{task}{seed}", status="ok", setup=setup, outcome=outcome, cost=cost, provenance=provenance)


def found(out):
    return audit(out, store.read_all(out))


def edited(out, change, run="sst20"):
    """Change a record's JSON object in place."""
    path = store.folder(out) / f"{run}.json"
    raw = json.loads(path.read_text())
    change(raw["outcome"])
    path.write_text(json.dumps(raw))


def tampered(out, change, run="sst20"):
    """Change a table of items."""
    path = store.folder(out) / f"{run}.parquet"
    change(pd.read_parquet(path)).to_parquet(path, index=False)
