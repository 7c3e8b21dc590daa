"""Records made up through the schema, with items that give their numbers; no model, no training."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from bench import ENGINE_VERSION
from bench.measuring.scoring import rise, scores
from bench.metrics import counted
from bench.records import store
from bench.records.outcome import BestBase, Delta, Elsewhere, Forgetting, Gain, Outcome, Point, Robustness, Score, Stages
from bench.records.record import SEED_PARTS, Cost, Provenance, Record, Seeds, Setup, Trust
from bench.statistics.intervals import of_one_model
from bench.statistics.jackknife import clusters_of
from bench.statistics.probed import AUC, of_probe
from reports.formats.console import console
from reports.rows.rows import aggregate
from reports.terminal import table

LOSS = "loss (nats per token)"
BASE = 0.55
VERSIONS = {"torch": "2.13.0", "transformers": "5.23.0"}
DEVICE: dict[str, str | int] = {"type": "cpu", "name": "a CPU", "processes": 1, "precision": "fp32"}


def items(task: str, accuracy: float, probes: dict[str, tuple[str, float, float]], seed: int, count: int = 200) -> pd.DataFrame:
    """Per-item answers: `accuracy` on the task, and for each probe its value's name with its means before and after."""
    generator = np.random.default_rng(seed)
    names = [f"test-{number}" for number in range(count)]
    gold = np.array(["positive", "negative"])[np.arange(count) % 2]
    other = np.array(["negative", "positive"])[np.arange(count) % 2]
    ease = np.random.default_rng(99).random(count)  # some items are hard for all seeds
    right = np.argsort(np.argsort(ease + (0.2 if accuracy != BASE else 0) * generator.random(count))) < round(accuracy * count)
    before = np.where(np.argsort(np.argsort(ease)) < round(BASE * count), gold, other)
    answered = np.where(right, gold, other)
    answers = {"gold": gold, "before": before, "prediction": answered, "confidence": 0.9}
    frames = [pd.DataFrame({"kind": "task", "name": task, "item": names, **answers})]
    for name, (value_name, old, new) in probes.items():
        spread = np.random.default_rng(7).normal(0, 0.3, 64)
        if value_name == LOSS:
            # An untouched model answers as before, without noise.
            was, now = old + spread, new + spread + (generator.normal(0, 0.05, 64) if new != old else 0)
        else:
            was, now = (np.argsort(np.argsort(spread)) < round(mean * 64) for mean in (old, new))
        values = {"before_value": np.asarray(was, float), "value": np.asarray(now, float), "weight": 1.0}
        frames.append(pd.DataFrame({"kind": "probe", "name": name, "item": [str(i) for i in range(64)], **values}))
    columns = ["kind", "name", "item", "gold", "before", "prediction", "confidence", "before_value", "value", "weight"]
    return pd.concat(frames, ignore_index=True).reindex(columns=columns)


def digest(value: Any) -> str:
    return hashlib.sha256(repr(value).encode()).hexdigest()[:16]


def _interval(values: np.ndarray) -> tuple[float, float]:
    """Of the mean, over items."""
    return of_one_model(of_probe("mean", values[None], np.ones(len(values)), None, clusters_of(None, len(values))))


def _forgetting(frame: pd.DataFrame, value_name: str) -> Forgetting:
    sign = -1.0 if value_name == LOSS else 1.0
    before, after = frame["before_value"].to_numpy(float), frame["value"].to_numpy(float)
    lost = sign * (before - after)
    low, high = _interval(lost)
    return Forgetting(
        value_name=value_name,
        higher_is_better=sign > 0,
        share=sign > 0,
        before=before.mean(),
        after=after.mean(),
        delta=lost.mean() + 0.0,
        ci_low=low,
        ci_high=high,
        n=len(lost),
    )


def built(**fields: Any) -> Record:
    """A record from fields by their names, whatever group each is in; a gain and its bounds are three numbers."""
    gain, low, high = (fields.pop(name, None) for name in ("gain", "gain_ci_low", "gain_ci_high"))
    fields["gain"] = None if gain is None else Gain(value=gain, ci_low=low, ci_high=high)
    if not fields.get("score"):
        fields = {name: value for name, value in fields.items() if name not in Outcome.model_fields}
    if "provenance" in fields:  # None: nothing but versions and device is known
        assert fields.pop("provenance") is None
        unknown = Provenance.model_fields.keys() - {"versions", "device"}
        fields = {name: value for name, value in fields.items() if name not in unknown}
    parts = {}
    for group, kind in GROUPS.items():
        part = {name: fields.pop(name) for name in kind.model_fields if name in fields}
        parts[group] = kind(**part) if part or group != "outcome" else None
    return Record(**fields, **parts)


def changed(record: Record, **changes: Any) -> Record:
    """The record with other fields, whatever group each is in; nothing is checked, so that numbers may be broken."""
    ends = {"gain": "value", "gain_ci_low": "ci_low", "gain_ci_high": "ci_high"}
    gain = {ends[name]: changes.pop(name) for name in ends if name in changes}
    if gain:
        old = (record.outcome and record.outcome.gain) or Gain(value=0.0)
        changes["gain"] = None if gain.get("value", 0.0) is None else old.model_copy(update=gain)
    for group, kind in GROUPS.items():
        part = {name: changes.pop(name) for name in kind.model_fields if name in changes}
        if part:
            changes[group] = getattr(record, group).model_copy(update=part)
    assert changes.keys() <= Record.model_fields.keys()
    return record.model_copy(update=changes)


GROUPS: dict[str, Any] = {"setup": Setup, "outcome": Outcome, "trust": Trust, "provenance": Provenance}
PROBES = {"wikipedia": (LOSS, 3.2, 3.3), "lambada": ("accuracy", 0.45, 0.4), "arc-easy": ("accuracy", 0.5, 0.5)}


def made(
    strategy: str = "full",
    seed: int = 0,
    accuracy: float = 0.85,
    probes: dict[str, tuple[str, float, float]] = PROBES,
    trainable: int = 134_515_008,
    inputs: dict[str, Any] | None = None,
    **changes: Any,
) -> tuple[Record, pd.DataFrame]:
    """A record and its items; `changes` replace the record's fields, whatever group each is in."""
    task = changes.get("task", "sst2")
    frame = items(task, accuracy, probes, seed + len(strategy))
    answered = frame[frame["kind"] == "task"]
    right = (answered["prediction"] == answered["gold"]).to_numpy(float)
    gains = right - (answered["before"] == answered["gold"]).to_numpy(float)
    (low, high), (gain_low, gain_high) = _interval(right), _interval(gains)
    score = Score(name="accuracy", value=right.mean(), ci_low=low, ci_high=high, n=len(right), share=True)
    trains = trainable > 0
    hyperparameters = changes.pop("hyperparameters", {"learning_rate": 2e-5, "warmup": 0.1} if trains else {})
    seeded = {"seed": seed, "budget": "512examples"} if trains or strategy == "few-shot" else {}
    fields: dict[str, Any] = {
        "run_id": digest([strategy, seed, hyperparameters, inputs, sorted(changes)]),
        "suite": "sentiment",
        "model": "smollm2",
        "task": task,
        "strategy": strategy,
        "seed": seed,
        "status": "ok",
        "score": score,
        "metrics": {"accuracy": score},
        "base_score": BASE,
        "gain": gains.mean(),
        "gain_ci_low": gain_low,
        "gain_ci_high": gain_high,
        "forgetting": {name: _forgetting(frame[frame["name"] == name], value[0]) for name, value in probes.items()},
        "checks": {} if trains else {"untouched_forgets_nothing": True},
        "cost": Cost(
            train_examples=512 if trains else 0,
            train_tokens=19_648 if trains else 0,
            train_flops=12_345_678_901_234 if trains else 0,
            useful_flops=10_000_000_000_000 if trains else 0,
            train_seconds=81.5 + seed if trains else 0,
            eval_seconds=12.25,
            probe_seconds=4.5,
            peak_memory_bytes=3_210_000_000,
            trainable_parameters=trainable,
            total_parameters=136_957_248 if trainable == 2_442_240 else 134_515_008,
            saved_bytes=4 * trainable,
        ),
        "losses": [0.7, 0.5],
        "hyperparameters": hyperparameters,
        "budget": "512examples",
        "versions": VERSIONS,
        "device": DEVICE,
        "model_hash": "ab" * 32,
        "data_hash": "cd" * 32,
        "data": {"read": 12_808, "repeated_removed": 57, "train": 10_715, "test": 872},
        "engine_version": ENGINE_VERSION,
        "started": "2026-11-24T10:09:52+00:00",
        "inputs": {"engine": 1, "strategy": strategy, "hyperparameters": hyperparameters, **seeded, **(inputs or {})},
    }
    return built(**{**fields, **changes}), frame


def elsewhere(pair: tuple[Record, pd.DataFrame], name: str, accuracy: float, count: int) -> tuple[Record, pd.DataFrame]:
    """The pair with the first `count` items of another task or domain."""
    record, frame = pair
    more = items(name, accuracy, {}, record.setup.seed + len(record.setup.strategy)).head(count).assign(kind="elsewhere")
    score = scores(more, ["accuracy"])["accuracy"]
    before = more.assign(prediction=more["before"])
    gain, low, high = rise(more, before, "accuracy")
    base = scores(before, ["accuracy"])["accuracy"].value
    part = Elsewhere(score=score, base_score=base, gain=Gain(value=gain, ci_low=low, ci_high=high))
    return changed(record, elsewhere={**record.outcome.elsewhere, name: part}), pd.concat([frame, more], ignore_index=True)


def wordings(pair: tuple[Record, pd.DataFrame], values: dict[str, float], n: int = 48) -> tuple[Record, pd.DataFrame]:
    """The pair with a score under each unseen instruction."""
    found = {
        words: Score(name="accuracy", value=value, ci_low=value - 0.1, ci_high=value + 0.1, n=n, share=True)
        for words, value in values.items()
    }
    return changed(pair[0], robustness=Robustness(scores=found)), pair[1]


TAGS = [["B-PER", "I-PER", "O"], ["O", "O", "O"], ["B-PER", "O", "O"], ["B-PER", "I-PER", "B-ORG"]]
"""A person; nobody; a part of a name; a person and a company."""


def entities(name: str, seed: int) -> tuple[Record, pd.DataFrame]:
    """A record of entity F1: of 200 sentences with a person half hold a company too."""
    record, frame = made(name, seed)
    task = frame["kind"] == "task"
    gold = [TAGS[3 * (item % 2)] for item in range(task.sum())]
    # Some items are hard for all, and others are for this model.
    hard = np.random.default_rng(0).random(len(gold)) + 0.3 * np.random.default_rng([len(name), seed]).random(len(gold))
    answers = [TAGS[np.searchsorted([0.2, 0.3, 0.9], 1.3 - each - 0.05 * seed)] for each in hard]
    frame.loc[task, "gold"] = [store.as_text(tags) for tags in gold]
    frame.loc[task, "before"] = store.as_text(TAGS[1])
    frame.loc[task, "prediction"] = [store.as_text(tags) for tags in answers]
    value = counted("entity_f1").value(answers, gold)
    score = record.outcome.score.model_copy(update={"name": "entity_f1", "value": value})
    return changed(record, score=score, metrics={"entity_f1": score}), frame


def ranking(name: str, seed: int) -> tuple[Record, pd.DataFrame]:
    """A record of an encoder with a probe of 120 sentence pairs, of which half are paraphrases, ranked by their similarity."""
    record, frame = made(name, seed, probes={})
    gold, hard = np.arange(120) % 2, np.random.default_rng(0).normal(size=120)
    own = np.random.default_rng([len(name), seed]).normal(size=120)
    before, after = gold + 0.7 * hard, (0.5 + 0.25 * seed) * gold + 0.7 * hard + 0.3 * own
    columns = {"kind": "probe", "name": "mrpc", "item": [str(item) for item in range(120)], "weight": 1.0}
    values = {"gold": [str(label) for label in gold], "before_value": before, "value": after}
    old, new = (of_probe(AUC, side[None], np.ones(120), gold, clusters_of(None, 120)) for side in (before, after))
    low, high = of_one_model(old - new)
    aucs = {"before": old.values.item(), "after": new.values.item(), "delta": (old - new).values.item()}
    part = Forgetting(value_name=AUC, higher_is_better=True, share=True, **aucs, ci_low=low, ci_high=high, n=120)
    return changed(record, forgetting={"mrpc": part}), pd.concat([frame, pd.DataFrame({**columns, **values})])


def over_best(pair: tuple[Record, pd.DataFrame], right: int) -> tuple[Record, pd.DataFrame]:
    """The pair, the first so many answers of the base right when it is instructed, which validation found best."""
    record, frame = pair
    gold = frame["gold"].where(frame["kind"] == "task")
    best = gold.where(np.arange(len(frame)) < right, "wrong").where(gold.notna())
    part = frame.assign(best_before=best)
    answered = part[part["kind"] == "task"]
    gain, low, high = rise(answered, answered.assign(prediction=answered["best_before"]), "accuracy")
    base = BestBase(style="instruction", score=right / len(answered), gain=Gain(value=gain, ci_low=low, ci_high=high))
    return changed(record, best_base=base), part


def two_wordings() -> list[tuple[Record, pd.DataFrame]]:
    """`full`, asked plainly, rises from .55 to .85; `instruction` from .30 to .70: it gains more, is worse, and forgets more.

    The best base is right on 110 of 200 items. On validation items the base has .5 asked plainly, and .25 by instruction.
    """
    full = made("full", 0, 0.85, {"wikipedia": (LOSS, 3.2, 3.3)}, curve=_risen(0.5, 0.1, 0.3))
    record, frame = made("instruction", 0, 0.70, {"wikipedia": (LOSS, 3.2, 3.35)}, curve=_risen(0.25, 0.35, 0.45))
    task = frame["kind"] == "task"
    frame.loc[task, "before"] = frame.loc[task, "gold"].where(np.arange(task.sum()) < 60, "wrong")
    gain, low, high = rise(frame[task], frame[task].assign(prediction=frame.loc[task, "before"]), "accuracy")
    instruction = changed(record, base_score=0.30, gain=gain, gain_ci_low=low, gain_ci_high=high), frame
    return [over_best(pair, right=110) for pair in (full, instruction)]


def _risen(base: float, *gains: float) -> list[Point]:
    places = [(gain, {"wikipedia": 0.02 * n}) for n, gain in enumerate(gains, start=1)]
    return [point.model_copy(update={"score": base + point.gain}) for point in curve(places)]


def varied(
    value: float, part: str = "init", seed: int = 0, drew: Sequence[str] = SEED_PARTS, strategy: str = "full", **inputs: Any
) -> Record:
    """A record of `--vary` with this score, in which one part has the seed."""
    seeds = Seeds(**{part: seed})
    record, _ = made(strategy, seed, seeds=seeds, drew=list(drew))
    asked = {name: known for name, known in record.provenance.inputs.items() if name != "seed"}
    assert record.outcome
    return changed(
        record,
        score=record.outcome.score.model_copy(update={"value": value}),
        inputs=asked | {"seeds": seeds.model_dump()} | inputs,
        run_id=digest([strategy, seeds, inputs]),
    )


def curve(places: list[tuple[float, dict[str, float]]]) -> list[Point]:
    """Points of gain and forgetting per probe, a step apart."""
    return [
        Point(step=n, examples=16 * n, score=BASE + gain, gain=gain, forgetting=lost)
        for n, (gain, lost) in enumerate(places, start=1)
    ]


def watched(name: str, places: list[tuple[float, float]], **changes: Any) -> Record:
    """A run whose gain, and what it lost of lambada, were measured on the way."""
    return made(name, curve=curve([(gain, {"lambada": lost}) for gain, lost in places]), **changes)[0]


def stages() -> Stages:
    """Three tasks, measures by hand: backward ((.75 - .80) + (.60 - .90)) / 2, forward ((.50 - .40) + (.40 - .30)) / 2,
    forgetting ((.80 - .75) + (.90 - .60)) / 2. Its scores are shares."""
    return Stages(
        tasks=["rte", "squad", "sst2"],
        base=[0.5, 0.4, 0.3],
        scores=[[0.8, 0.5, 0.2], [0.7, 0.9, 0.4], [0.75, 0.6, 0.85]],
        backward_transfer=-0.175,
        forward_transfer=0.1,
        forgetting=0.175,
    )


def staged(through: Stages, seed: int = 0) -> Record:
    """A run that was trained so, with a score on each earlier task too."""
    pair = made("full", seed, stages=through, run_id=f"staged {seed}")
    for task in through.tasks[:-1]:
        pair = elsewhere(pair, task, 0.7, 64)
    return pair[0]


def _with(pair: tuple[Record, pd.DataFrame], probe: str, **changes: Any) -> tuple[Record, pd.DataFrame]:
    probes = pair[0].outcome.forgetting
    return changed(pair[0], forgetting={**probes, probe: probes[probe].model_copy(update=changes)}), pair[1]


def contaminated(pair: tuple[Record, pd.DataFrame], probe: str, count: int) -> tuple[Record, pd.DataFrame]:
    """The pair, some of the probe's items given away by training data."""
    return changed(pair[0], contamination={**pair[0].trust.contamination, probe: count}), pair[1]


def rounded(pair: tuple[Record, pd.DataFrame], probe: str, lost: tuple[float, float, float]) -> tuple[Record, pd.DataFrame]:
    """The pair, its base rounded: value and bounds of what that lost of the probe."""
    return _with(pair, probe, quantisation=Delta(value=lost[0], ci_low=lost[1], ci_high=lost[2]))


def lost(pair: tuple[Record, pd.DataFrame], probe: str, found: tuple[float, float, float]) -> tuple[Record, pd.DataFrame]:
    """The pair with another forgetting: value and bounds."""
    return _with(pair, probe, delta=found[0], ci_low=found[1], ci_high=found[2])


RTE = {"name": "rte", "version": 1, "train": {"sha256": "ef" * 32}}
SST2 = {"name": "sst2", "version": 1, "train": {"sha256": "cd" * 32}}
SHARED = {"model": "ab" * 32, "precision": "fp32", "batch": 16, "max_length": 256}


def mixture(seed: int = 0, accuracy: float = 0.6, count: int = 64, **changes: Any) -> tuple[Record, pd.DataFrame]:
    """A multitask run of sst2 and rte, with the first `count` items of rte."""
    inputs = {**SHARED, "task": SST2, "others": [RTE], **changes.pop("inputs", {})}
    return elsewhere(made("multitask", seed, 0.8, inputs=inputs, **changes), "rte", accuracy, count)


def alone(strategy: str = "instruction", seed: int = 0, accuracy: float = 0.7, **changes: Any) -> tuple[Record, pd.DataFrame]:
    """A run on rte alone, of another suite."""
    inputs = {**SHARED, "task": RTE, "others": [], **changes.pop("inputs", {})}
    return made(strategy, seed, accuracy, inputs=inputs, **{"suite": "entailment", "task": "rte", **changes})


def failed(strategy: str = "frozen", seed: int = 0, reason: str = "RuntimeError: out of memory", **changes: Any) -> Record:
    """A run that left nothing but its reason."""
    fields: dict[str, Any] = {
        "run_id": digest(["failed", strategy, seed, reason]),
        "suite": "sentiment",
        "model": "smollm2",
        "task": "sst2",
        "strategy": strategy,
        "seed": seed,
        "status": "failed",
        "reason": reason,
        "hyperparameters": {"learning_rate": 2e-5},
        "budget": "512examples",
        "versions": VERSIONS,
        "device": DEVICE,
    }
    return built(**{**fields, **changes})


def suite_of_seven(seeds: int = 1, **changes: Any) -> list[tuple[Record, pd.DataFrame]]:
    """The rows of a whole suite: two that train nothing, and five strategies."""
    same = {name: (value_name, old, old) for name, (value_name, old, _) in PROBES.items()}
    trained = {
        "full": (0.875, 134_515_008, (3.31, 0.36, 0.47)),
        "frozen": (0.84, 44_000_000, (3.24, 0.42, 0.48)),
        "lora-8bit": (0.86, 2_442_240, (3.22, 0.44, 0.5)),
        "instruction": (0.87, 134_515_008, (3.29, 0.39, 0.45)),
        "multitask": (0.845, 134_515_008, (3.18, 0.45, 0.52)),
    }
    found = [made("zero-shot", 0, BASE, trainable=0, probes=same, **changes)]
    found += [made("few-shot", seed, 0.64, trainable=0, probes=same, **changes) for seed in range(seeds)]
    for strategy, (accuracy, trainable, after) in trained.items():
        probes = {name: (value[0], value[1], new) for (name, value), new in zip(PROBES.items(), after, strict=True)}
        found += [made(strategy, seed, accuracy + 0.01 * seed, probes, trainable, **changes) for seed in range(seeds)]
    return found


def kept(out: Path, found: list[tuple[Record, pd.DataFrame]]) -> list[Record]:
    """Write records with their items, and return the records."""
    for record, frame in found:
        store.write_record(out, record, frame)
    return [record for record, _ in found]


def print_rows(records: list[Record], out: Path | None = None) -> None:
    """As a terminal has them, among the other records of `out`."""
    table.show_rows(console(), aggregate(records, out, store.read_all(out) if out else []))


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def make() -> SimpleNamespace:
    """The makers above; fixtures need no package to be imported from."""
    return SimpleNamespace(
        record=made,
        changed=changed,
        digest=digest,
        failed=failed,
        suite=suite_of_seven,
        items=items,
        kept=kept,
        print_rows=print_rows,
        elsewhere=elsewhere,
        wordings=wordings,
        varied=varied,
        mixture=mixture,
        alone=alone,
        curve=curve,
        watched=watched,
        stages=stages,
        staged=staged,
        contaminated=contaminated,
        rounded=rounded,
        lost=lost,
        over_best=over_best,
        entities=entities,
        ranking=ranking,
        two_wordings=two_wordings,
    )
