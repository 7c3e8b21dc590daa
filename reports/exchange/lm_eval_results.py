"""Results of lm-evaluation-harness, `results_*.json` with its `samples_*.jsonl` beside it, as records: one for each task.

The harness asks a model and trains nothing. How the model came to be, what that cost and what the base scored is not in its
files, so that it is None. Groups of tasks (`mmlu`) are means of tasks of their own, and make no record.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePath
from typing import Any, get_args

import pandas as pd

from bench.errors import FormatError
from bench.hashing import digest
from bench.records import store
from bench.records.outcome import Outcome
from bench.records.record import Cost, Provenance, Record, Setup, Trust, Tuning
from reports.exchange.identity import imported
from reports.exchange.lm_eval_files import samples_beside
from reports.exchange.lm_eval_metrics import HarnessMetric, harness_metrics, score_first, score_of, was_measured
from reports.exchange.lm_eval_question import asked_inputs
from reports.exchange.untrusted_files import MOST_TEXT, Given, is_finite, precision, read_lines, read_object

HARNESS = "lm-eval"
MOST_OF_A_NAME = 200
"""Bytes; a file's name may have 255, and that of a task's samples holds more than the task's."""


@dataclass(frozen=True)
class Named:
    """What the importer calls the results, where that is not as the file has it."""

    suite: str | None = None
    model: str | None = None
    strategy: str | None = None


def read_lm_eval(
    path: Path, named: Named = Named(), left_out: list[str] | None = None
) -> Iterator[tuple[Record, pd.DataFrame | None]]:
    """A record for each task of one results file, with the table of its answers where its samples lie beside.

    Args:
        left_out: gets a sentence for each metric, and each task, without a value or a direction; the others go in.

    Raises:
        FormatError: the file is none of these, or a value in it, or in its samples, is missing or wrong.
    """
    whole, content = read_object(path)
    tasks = [(name, results) for name, results in whole["results"].parts() if whole["configs"].get(name)]
    if not tasks:
        raise FormatError("results", "hold no task")
    metrics, faults = _metrics_of_tasks(whole, tasks)
    if left_out is not None:
        # Filters of one metric share its direction.
        left_out += dict.fromkeys(f"{path.name}: {fault}; it is left out" for fault in faults)
    for name in metrics:
        yield _task_record(path, content, whole, name, metrics[name], named, samples_beside(path, name))


def _metrics_of_tasks(whole: Given, tasks: list[tuple[str, Given]]) -> tuple[dict[str, list[HarnessMetric]], list[FormatError]]:
    """The metrics of each task that has one, its score first, and what was left out."""
    metrics: dict[str, list[HarnessMetric]] = {}
    left_out: list[FormatError] = []
    directions = whole.get("higher_is_better") or Given({}, "higher_is_better")
    for name, results in tasks:
        task = Given(name, f"results.{name}")
        if "/" in task.text():  # its samples would lie in another folder
            raise task.wrong("a name without /")
        if len(name.encode()) > MOST_OF_A_NAME:  # or under a name that no file can have
            raise task.wrong(f"a name of at most {MOST_OF_A_NAME} bytes")
        config = whole["configs"][name]
        of_task = directions.get(name) or Given({}, f"{directions.place}.{name}")
        measured, faults = harness_metrics(results, of_task, config)
        left_out += faults
        if measured:
            metrics[name] = score_first(measured, config)
    if not metrics:
        raise left_out[0]
    return metrics, left_out


def _task_record(
    path: Path, content: bytes, whole: Given, task: str, metrics: list[HarnessMetric], named: Named, samples: Path
) -> tuple[Record, pd.DataFrame | None]:
    counted = whole["n-samples"][task]["effective"]
    count = counted.whole()
    if not count:
        raise counted.wrong("a number of items")
    # Samples are written by an option, and results without them are whole all the same.
    items = _read_items(samples, task, metrics[0].filter) if samples.exists() else None
    if items is not None and len(items) != count:
        # A task of one's own may leave some items without a metric, and the harness counts those that have it.
        items = items.dropna(subset=items.columns.intersection([metrics[0].name]))
        if len(items) != count:
            raise FormatError(samples.name, f"holds {len(items):,} items, and the results are of {count:,}")
    scores, made_of = [], []
    for metric in metrics:
        # The answers are as one filter left them, and say nothing of another's numbers.
        score, interval = score_of(metric, count, items if metric.filter == metrics[0].filter else None, samples.name)
        scores.append(score)
        made_of.append(interval)
    setup = _harness_setup(whole, task, named)
    contents = [content, *([samples.read_bytes()] if items is not None else [])]
    run_id, inputs, source = imported(HARNESS, path, contents, setup, made_of[0])
    del inputs["seed"]  # nothing is trained here
    inputs |= asked_inputs(whole, task, metrics[0])
    record = Record(
        run_id=run_id,
        status="ok",
        setup=setup,
        outcome=Outcome(score=scores[0], metrics={score.name: score for score in scores}),
        cost=_harness_cost(whole),
        trust=Trust(data={"test": count}),
        provenance=Provenance(
            versions=_harness_versions(whole),
            device=_harness_device(whole),
            started=_started(whole),
            inputs=inputs,
            source=source,
        ),
    )
    return record, items


def _read_items(path: Path, task: str, filtered: str) -> pd.DataFrame:
    try:
        return _answered_items(path, task, filtered)
    except FormatError as error:
        # A fault is told under the name of the results, whose lines and fields are others.
        raise FormatError(path.name, str(error)) from error


def _answered_items(path: Path, task: str, filtered: str) -> pd.DataFrame:
    """What was answered to each item, as the score's filter left it, with a column for each metric that is a number."""
    rows: dict[str, dict[str, Any]] = {}
    for line in read_lines(path):
        known = line.get("filter")
        if known is not None and known.value != filtered:
            continue
        item = str(line["doc_id"].whole())
        if item in rows:
            raise FormatError(line.place, f"repeats doc_id {item}")
        # In the harness' words: our metrics cannot read its answers, and must not try.
        answers = {"target": _answer_text(line["target"]), "answer": _answer_text(line["filtered_resps"])}
        described = {"kind": "task", "name": task, "item": item, **answers}
        measured = _item_metrics(line)
        if taken := [name for name in measured if name in described]:
            raise FormatError(f"{line.place}.metrics", f"{taken[0]} is the name of another column")
        rows[item] = described | measured
    return pd.DataFrame(list(rows.values()))


def _answer_text(answer: Given) -> str:
    return store.as_text(answer.value)[:MOST_TEXT]


def _item_metrics(line: Given) -> dict[str, float]:
    listed = line.get("metrics")
    names = listed.value if listed and isinstance(listed.value, list) else []
    values = {name: line.value.get(name) for name in names if isinstance(name, str)}
    return {
        name: float(value)
        for name, value in values.items()
        if isinstance(value, int | float) and is_finite(value) and was_measured(name, value)
    }


def _harness_setup(whole: Given, task: str, named: Named) -> Setup:
    shots = whole["n-shot"][task].whole()
    config, version = whole["config"], whole["versions"].get(task)
    question = {"num_fewshot": shots, "task_version": version.value if version else None}
    beside = {
        name: part.value for name in ("limit", "fewshot_seed", "model_revision", "model_sha") if (part := config.get(name))
    }
    template = whole.get("chat_template_sha")
    model = whole["model_name"].text()
    # Two models whose paths end alike are two, and no record names a place on a machine.
    place = {"model_path": digest(model)} if _is_path(model) and not named.model else {}
    return Setup(
        suite=named.suite or HARNESS,
        model=named.model or (PurePath(model).name if _is_path(model) else model),
        task=task,
        strategy=named.strategy or f"{HARNESS} {shots}-shot",
        hyperparameters=Given(
            {**question, **beside, **place, "chat_template_sha": template.value if template else None}
        ).settings(),
        seed=0,
        budget=None,
        tuning=Tuning(trials=None),
    )


def _is_path(model: str) -> bool:
    """Of a model's name. `runs/best` may be a hub's name as well as a path, and is left as it is."""
    return PurePath(model).is_absolute() or model.startswith((".", "~"))


def _harness_cost(whole: Given) -> Cost:
    parameters, seconds = whole["config"].get("model_num_parameters"), whole.get("total_evaluation_time_seconds")
    known = parameters is not None and parameters.number() > 0  # the harness writes -1 where it knows none
    written = ("total_parameters", "eval_seconds")
    # A cost that is left out would be its default, and 0 is a cost.
    unknown = [
        name for name, field in Cost.model_fields.items() if type(None) in get_args(field.annotation) and name not in written
    ]
    return Cost(
        **dict.fromkeys(unknown),
        total_parameters=parameters.whole() if parameters is not None and known else None,
        # One time for all tasks of the file: it is no single task's.
        eval_seconds=_seconds_from_text(seconds) if seconds and len(list(whole["results"].parts())) == 1 else None,
    )


def _seconds_from_text(written: Given) -> float:
    """The harness writes this number as a text."""
    try:
        return Given(float(written.value), written.place).number(0)
    except (TypeError, ValueError, OverflowError) as error:
        raise written.wrong("a number of seconds") from error


def _harness_versions(whole: Given) -> dict[str, str]:
    packages = {"lm-eval": whole.get("lm_eval_version"), "transformers": whole.get("transformers_version")}
    return {name: version.text() for name, version in packages.items() if version}


def _harness_device(whole: Given) -> dict[str, str | int]:
    dtype, device = whole["config"].get("model_dtype"), whole["config"].get("device")
    device_type: dict[str, str | int] = {"type": device.text()} if device else {}
    return device_type | ({"precision": precision(dtype)} if dtype else {})


def _started(whole: Given) -> str | None:
    date = whole.get("date")
    # Python has no date after the year 9999, which so many seconds stay well below.
    return datetime.fromtimestamp(date.number(0, 1e11), UTC).isoformat(timespec="seconds") if date else None
