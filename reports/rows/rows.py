"""Records become leaderboard rows: one row for all seeds of what is otherwise the same run, with means and intervals.

What failed or was skipped keeps a row of its own, with the reason, so that a gap is never silent.
"""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from bench.groups import groups_by
from bench.records.record import Record
from reports.rows import answers, means, transfer
from reports.rows.numbers import Quantity
from reports.rows.row import Row
from reports.rows.run_items import RunItems
from reports.rows.spreads import SeedSpreads, run_trains, spreads_of
from reports.rows.stage_means import mean_stages
from reports.rows.wordings import mean_wordings

SHOWN_DIFFERENCES = 4
"""Of a row's determinants in its name; more where fewer would not tell it apart."""
SHOWN_LETTERS = 24
"""Of a determinant's value."""
OF_OTHERS = ("seed", "hyperparameters", "search")
"""Inputs of a run that do not set its row apart, or that the record's setup says in fewer words."""
MIXED = Quantity("mixed units", share=False)
"""What a column holds whose rows have numbers of several kinds."""


def aggregate(records: Sequence[Record], out: Path | None = None, beside: Sequence[Record] = ()) -> list[Row]:
    """Rows in the order in which their first record comes.

    `out` is the folder whose per-item answers intervals are made of; without it they are made of the records' own bounds. Rows
    of one suite, model and task are a table, which knows together how far a seed moves a number. `beside` are records that are
    no rows, but that multitask rows may be held against.
    """
    # A sweep names a run at each point that it stands for, and it is one run all the same.
    groups = groups_by({record.run_id: record for record in records}.values(), _key_without_seed)
    all_records = [*records, *beside]
    rows = [sorted(group, key=lambda record: (record.setup.seed, record.run_id)) for group in groups.values()]
    return _with_variants(
        [_row_of_runs(row, out, all_records, seeds) for row, seeds in zip(rows, spreads_of(rows), strict=True)]
    )


def ranked(rows: Sequence[Row]) -> list[Row]:
    """By suite, task and model, best score first, rows without a score last."""

    def place(row: Row) -> tuple[Any, ...]:
        suite, model, task = row.group
        # Rows without a score are told apart by the place before this one.
        score = row.score.value if row.score else 0.0
        best_first = -score if row.higher_is_better else score
        return suite, task, model, row.score is None, best_first, row.label, row.first.run_id

    return sorted(rows, key=place)


def grouped(rows: Sequence[Row]) -> dict[tuple[str, str, str], list[Row]]:
    """Rows by suite, model and task, order kept."""
    return groups_by(rows, lambda row: row.group)


def staged(rows: Sequence[Row]) -> list[list[Row]]:
    """Rows that went through the same stages with the same model."""
    groups: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        if row.stages:
            groups.setdefault((*row.group, *row.stages.tasks), []).append(row)
    return list(groups.values())


def probe_names(rows: Sequence[Row]) -> dict[str, Quantity]:
    """Each probe of the rows and what it measures, in order of first appearance."""
    quantities: dict[str, Quantity] = {}
    for row in rows:
        for name, probe in row.forgetting.items():
            same = quantities.setdefault(name, probe.quantity) == probe.quantity
            quantities[name] = probe.quantity if same else MIXED
    return quantities


def _key_without_seed(record: Record) -> str:
    """Equal for records that differ in nothing but the seed.

    Two searches that chose alike made two runs of each seed, which are no further seeds of one row.
    """
    names = (record.setup.suite, record.setup.model, record.setup.task, record.setup.strategy)
    search = record.provenance.inputs.get("search")
    # Two reasons of failing are two rows, so that each of them is read.
    return json.dumps([*names, record.status, record.reason, determinants(record), search])


def determinants(record: Record) -> dict[str, Any]:
    """What determines a record's numbers, its seed left out, as flat names and values."""
    known: dict[str, Any] = {"tuning": record.setup.tuning.model_dump(include={"trials", "sampler", "pruner", "share"})}
    if record.provenance.inputs:
        # A row that trains nothing has no budget in its inputs: it is the same row under any.
        known |= {name: value for name, value in record.provenance.inputs.items() if name not in OF_OTHERS}
    else:
        known["budget"] = record.setup.budget
    return dict(sorted({**flat(known), **flat(record.setup.hyperparameters)}.items()))


def flat(values: Any, name: str = "") -> dict[str, Any]:
    """Nested objects and lists as one level: {"peft": {"r": 8}} -> {"peft.r": 8}."""
    # An empty list or mapping is a value too, by which two rows may differ.
    if not isinstance(values, dict | list | tuple) or not values:
        return {name: values}
    parts = values.items() if isinstance(values, dict) else enumerate(values)
    return {key: leaf for part, value in parts for key, leaf in flat(value, f"{name}.{part}" if name else str(part)).items()}


def _row_of_runs(runs: list[Record], out: Path | None, known: Sequence[Record], seeds: SeedSpreads) -> Row:
    outcomes = [run.outcome for run in runs if run.outcome is not None]
    # All runs of a row have one status, since it is a part of their key.
    if runs[0].status != "ok" or len(outcomes) < len(runs):
        return Row(tuple(runs))
    scores = [outcome.score for outcome in outcomes]
    items = [RunItems.of_run(out, run) for run in runs] if out else []
    task, name, data_hash = runs[0].setup.task, scores[0].name, runs[0].provenance.data_hash
    answered = [answers.task_answers(items, task, name, base=base, data_hash=data_hash) for base in answers.BASES]
    # The base is one and the same for all seeds: they move the gain as far as the score.
    spread, trained = seeds.of(lambda outcome: outcome.score.value), run_trains(runs[0])
    gain, over_best = means.both_gains(outcomes, answered, spread, trained)
    return Row(
        tuple(runs),
        score=means.mean_score(scores, answered[0], spread),
        gain=gain,
        over_best=over_best,
        metrics=means.other_metrics(outcomes, task, items, seeds),
        elsewhere=means.mean_elsewhere(outcomes, items, seeds, trained),
        wordings=mean_wordings(outcomes, items, seeds),
        transfers=transfer.between(runs, known, out, seeds),
        forgetting=means.mean_forgetting(runs, items, seeds),
        relative_forgetting=means.mean_relative_forgetting(outcomes, seeds),
        curve=means.mean_curve(outcomes),
        stages=mean_stages(outcomes, seeds),
        cost=means.mean_cost([run.cost for run in runs if run.cost]),
    )


def _with_variants(rows: list[Row]) -> list[Row]:
    alike = groups_by(rows, lambda row: (row.setup.suite, row.setup.model, row.setup.strategy)).values()
    variant_of = {
        row.first.run_id: variant
        for group in alike
        for row, variant in zip(group, variants([row.first for row in group]), strict=True)
    }
    return [replace(row, variant=variant_of[row.first.run_id]) for row in rows]


def variants(records: Sequence[Record]) -> list[str]:
    """What sets each of these, alike in model and strategy, apart from the others of its task: determinants that differ, or
    that it alone has. A failed run, which knows fewer, is only held to those that it knows.

    What differs on one task is named on all, since choices and ranks over tasks know a strategy's rows by their names. No two
    with a score are called the same on a task: where no determinant tells them apart as it is shown, their ids do.
    """
    facts = [(determinants(record), bool(record.provenance.inputs)) for record in records]
    names = sorted({name for known, _ in facts for name in known})
    tasks = [record.setup.task for record in records]
    by_task = groups_by(range(len(records)), tasks.__getitem__).values()

    def differ(name: str, places: Sequence[int]) -> bool:
        values = [known.get(name) for known, whole in map(facts.__getitem__, places) if whole or name in known]
        return any(value != values[0] for value in values)

    differing = [name for name in names if any(differ(name, places) for places in by_task)]
    # Names are compared as they will be shown: two long values may look alike.
    texts = [{name: _shortened_value(str(known[name])) for name in differing if name in known} for known, _ in facts]
    telling = {name for places in by_task for name in _telling_names(differing, [texts[place] for place in places])}
    tasks_and_variants = [(task, _variant_text(text, telling)) for task, text in zip(tasks, texts, strict=True)]
    # What has no score is chosen by nobody, and needs no name of its own.
    counts = Counter(name for name, record in zip(tasks_and_variants, records, strict=True) if record.outcome)
    return [
        ", ".join(filter(None, [name[1], f"run={record.run_id[:8]}"])) if record.outcome and counts[name] > 1 else name[1]
        for name, record in zip(tasks_and_variants, records, strict=True)
    ]


def _telling_names(names: Sequence[str], texts: Sequence[Mapping[str, str]]) -> list[str]:
    """Few names by which all are told apart that any names tell apart."""

    def apart(by: Sequence[str]) -> int:
        return len({tuple(text.get(name) for name in by) for text in texts})

    telling: list[str] = []
    while apart(telling) < apart(names):
        # The one that tells most rows apart is taken first, so that few are needed.
        telling.append(max(names, key=lambda name: apart([*telling, name])))
    return telling


def _variant_text(text: Mapping[str, str], telling: Collection[str]) -> str:
    """The names that tell it apart, and others as far as there is room."""
    needed = [name for name in telling if name in text]
    others = [name for name in text if name not in needed]
    shown_names = sorted([*needed, *others[: max(SHOWN_DIFFERENCES - len(needed), 0)]])
    return ", ".join([f"{name}={text[name]}" for name in shown_names] + ["…"] * (len(shown_names) < len(text)))


def _shortened_value(text: str) -> str:
    """Of a long value its two ends: paths are alike in the first, texts in the last."""
    half = SHOWN_LETTERS // 2
    return text if len(text) <= SHOWN_LETTERS else f"{text[: half - 1]}…{text[-half:]}"
