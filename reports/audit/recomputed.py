"""The numbers of one record's outcome, made of its items alone."""

import math
from collections.abc import Iterator, Sequence

import pandas as pd

from bench.records.outcome import Outcome
from bench.records.record import Record
from reports.audit.imported_means import answered_means
from reports.audit.item_columns import Numbers, Path, column_texts, complete, part, parts
from reports.audit.others_metrics import METRICS, OF_TRAINING, RATE_COLUMNS, part_of
from reports.audit.probing import ProbeItems, probe_numbers, relative_loss
from reports.audit.published import SIMPLEST


def recomputed(record: Record, items: pd.DataFrame) -> Numbers:
    """Every number that the items give, by its place in the record's outcome; what they don't give is left out.

    Of the record nothing is read but what was asked: names of metrics, probes and their kinds.
    """
    outcome = record.outcome
    if outcome is None or items.empty:
        return {}
    numbers: Numbers = {}
    for place, answered, score, metrics in task_parts(record, items):
        numbers |= _numbers_under(place, _task_numbers(answered, score, metrics))
    for mean in answered_means(record, items):
        numbers |= mean.numbers
    for place, answered in single_scores(items):
        numbers |= _numbers_under(place, _score_numbers(answered, outcome.score.name))
    probes = dict(probe_parts(record, items))
    for name, probe in probes.items():
        numbers |= _numbers_under(("forgetting", name), probe_numbers(probe))
    numbers |= _collapse(record, items)
    relative = relative_loss(list(probes.values()))
    numbers |= {} if relative is None else {("relative_forgetting",): relative}
    return numbers | _stage_numbers(part(items, "stage"), outcome)


def task_parts(record: Record, items: pd.DataFrame) -> Iterator[tuple[Path, pd.DataFrame, str, list[str]]]:
    """The run's own task and those elsewhere: where their numbers stand in the record, their items, score and metrics."""
    outcome = record.outcome
    assert outcome is not None
    yield (), part(items, "task"), outcome.score.name, list(outcome.metrics)
    for name, answered in parts(items, "elsewhere"):
        away = outcome.elsewhere.get(name)
        yield ("elsewhere", name), answered, away.score.name if away else "", list(away.metrics) if away else []


def single_scores(items: pd.DataFrame) -> Iterator[tuple[Path, pd.DataFrame]]:
    """What is scored by the task's first metric alone: answers without a model, and wordings one at a time."""
    for name, answered in parts(items, "reference"):
        yield ("references", name), answered
    wordings = dict(parts(items, "wording"))
    for name, answered in wordings.items() if len(wordings) > 1 else ():  # one alone has no spread
        yield ("robustness", "scores", name), answered


def _collapse(record: Record, items: pd.DataFrame) -> Numbers:
    """1 where a row that trains answers nothing of its own: all one answer, though not all gold ones are, or all as the
    simplest constant one, or no better than that; else 0."""
    mine, constant = part(items, "task"), dict(parts(items, "reference")).get(SIMPLEST)
    if constant is None or not record.cost or not record.cost.train_examples or record.outcome is None:
        return {}
    answers, simplest, gold = column_texts(mine, "prediction"), column_texts(constant, "prediction"), column_texts(mine, "gold")
    name = record.outcome.score.name
    score, bar = (_score_numbers(answered, name).get(("value",)) for answered in (mine, constant))
    if answers is None or score is None or bar is None:
        return {}
    higher = METRICS[name].higher_is_better if name in METRICS else True
    one_answer = len(set(gold or ())) > 1 and (answers == simplest or len(set(answers)) == 1)
    return {("collapsed",): float(one_answer or not (score > bar if higher else score < bar))}


def _numbers_under(place: Path, numbers: Numbers) -> Numbers:
    return {(*place, *path): number for path, number in numbers.items()}


def _task_numbers(answered: pd.DataFrame, score: str, metrics: Sequence[str]) -> Numbers:
    """Score, metrics, the base's score and the gains of one task."""
    numbers = _numbers_under(("score",), _score_numbers(answered, score))
    for name in metrics:
        numbers |= _numbers_under(("metrics", name), _score_numbers(answered, name))
    after = _metric_of_answers(answered, score, "prediction")
    for column, place in (("before", ()), ("best_before", ("best_base",))):
        before = _metric_of_answers(answered, score, column)
        if before is not None:
            numbers[(*place, "score" if place else "base_score")] = before
        if before is not None and after is not None:
            numbers[(*place, "gain", "value")] = METRICS[score].sign * (after - before)
    return numbers


def _score_numbers(answered: pd.DataFrame, metric: str) -> Numbers:
    """What a record says of one metric, but for its interval."""
    if metric in RATE_COLUMNS:
        # A rate is of the items that have a value, as of the questions whose answer was in their text.
        known = answered[answered[metric].notna()] if metric in answered else answered.head(0)
        values, (higher, share) = complete(known, metric), RATE_COLUMNS[metric]
        value, count = (math.fsum(values) / len(values) if values else None), len(known)
    else:
        value, count = _metric_of_answers(answered, metric, "prediction"), len(answered)
        higher, share = (METRICS[metric].higher_is_better, METRICS[metric].share) if metric in METRICS else (True, True)
    if value is None:
        return {}
    return {("value",): value, ("n",): count, ("higher_is_better",): float(higher), ("share",): float(share)}


def _metric_of_answers(answered: pd.DataFrame, metric: str, column: str) -> float | None:
    known = predictions_and_gold(answered, metric, column)
    return METRICS[metric].of(*known) if known else None


def predictions_and_gold(answered: pd.DataFrame, metric: str, column: str) -> tuple[list[str], list[str]] | None:
    """What a metric compares, as the table holds it; None where something of it is missing."""
    predicted, gold = column_texts(answered, column), column_texts(answered, "gold")
    if predicted is None or gold is None or metric not in METRICS:
        return None
    if metric not in OF_TRAINING:
        return predicted, gold
    runs = column_texts(answered, "seen")
    if runs is None:
        return None
    predicted, gold = (
        [part_of(tags, known, OF_TRAINING[metric]) for tags, known in zip(t, runs, strict=True)] for t in (predicted, gold)
    )
    return predicted, gold


def probe_parts(record: Record, items: pd.DataFrame) -> Iterator[tuple[str, ProbeItems]]:
    shapes = {shape["name"]: shape for shape, _ in record.provenance.inputs.get("probes", [])}
    for name, measured in parts(items, "probe"):
        if name in shapes:
            yield name, ProbeItems(shapes[name]["kind"], shapes[name].get("options") or {}, measured)


def _stage_numbers(answered: pd.DataFrame, outcome: Outcome) -> Numbers:
    """R, a row per stage and a column per task, and the three measures by their definitions (Lopez-Paz & Ranzato 2017,
    Chaudhry et al. 2018)."""
    if outcome.stages is None or answered.empty:
        return {}
    names = outcome.stages.tasks
    # The last stage's task is the run's own, and the others stand beside it.
    metrics = {name: away.score.name for name, away in outcome.elsewhere.items()} | {names[-1]: outcome.score.name}
    last = int(answered["stage"].max())
    rows: list[list[float]] = []
    for stage in range(last + 1):
        scores = [
            _metric_with_sign(answered[(answered["stage"] == stage) & (answered["name"] == name)], metrics.get(name, ""))
            for name in names
        ]
        # A stage without its answers leaves all three measures undone.
        if None in scores:
            return {}
        # The first row is the base's, before any stage.
        rows.append([score for score in scores if score is not None])
    base, after = rows[0], rows[1:]
    count = len(names) - 1
    numbers: Numbers = {("stages", "base", str(column)): score for column, score in enumerate(base)}
    numbers |= {("stages", "scores", str(i), str(j)): score for i, row in enumerate(after) for j, score in enumerate(row)}
    backward = math.fsum(after[count][j] - after[j][j] for j in range(count)) / count
    forward = math.fsum(after[j - 1][j] - base[j] for j in range(1, count + 1)) / count
    forgotten = math.fsum(max(after[i][j] for i in range(count)) - after[count][j] for j in range(count)) / count
    measures = {"backward_transfer": backward, "forward_transfer": forward, "forgetting": forgotten}
    return numbers | {("stages", name): number for name, number in measures.items()}


def _metric_with_sign(answered: pd.DataFrame, metric: str) -> float | None:
    number = _metric_of_answers(answered, metric, "prediction")
    return None if number is None else METRICS[metric].sign * number
