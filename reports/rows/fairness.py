"""Whether the rows of a table may be compared: what differs between them beside the strategy.

Where numbers of one column answer different questions (model, data, items, wording, metric, precision, engine) the table is
refused. Where the question is the same and the chance was not (budget, tuning) it is marked, and so is a run that spent more
than its budget. What a record does not know differs from nothing.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from bench.errors import UserError
from bench.hashing import digest
from bench.records.outcome import Forgetting
from bench.records.record import Record
from reports.rows.captions import few_names
from reports.rows.probe_definition import probe_definition
from reports.rows.row import Row
from reports.rows.rows import grouped, probe_names
from reports.rows.transfer import Transfer

UNITS = {"flops": "FLOP", "memory": "bytes of memory"}
"""How a limit is called where its name is not its unit."""
NOT_KNOWN = "not known"


@dataclass(frozen=True)
class Aspect:
    """What must be alike in all rows of a table, and how a run shows it; None where its record does not know."""

    name: str
    refuses: bool
    of: Callable[[Record], str | None]


@dataclass(frozen=True)
class Unlike:
    """An aspect in which rows of one table differ."""

    aspect: str
    refuses: bool
    rows: dict[str, list[str]]
    """Value -> labels of the rows that have it."""

    @property
    def sentence(self) -> str:
        """`budget differs: 512examples (full, frozen), 64examples (lora-8bit)`"""
        values = [f"{value} ({few_names(labels)})" for value, labels in self.rows.items()]
        return f"{self.aspect} differs: {', '.join(values)}"


def unlike(rows: Sequence[Row]) -> list[Unlike]:
    """What differs between the rows of one suite, model and task; only rows with a score are compared."""
    scored = [row for row in rows if row.score]
    differences = []
    for aspect in (*aspects(scored), *_elsewhere_aspects(scored), *_search_space_aspects(scored)):
        values: dict[str, list[str]] = {}
        for row in scored:
            # Seeds of one row can differ too: `auto` is another precision on another machine.
            for value in dict.fromkeys(filter(None, map(aspect.of, row.records))):
                values.setdefault(value, []).append(row.label)
        if len(values) > 1:
            differences.append(Unlike(aspect.name, aspect.refuses, values))
    return differences


def check_comparable(rows: Sequence[Row]) -> None:
    """Refuse tables whose columns hold answers to different questions.

    Raises:
        UserError: rows of one suite, model and task differ in such a thing; the first table is named.
    """
    for (suite, model, task), group in grouped(rows).items():
        if refused := [each.sentence for each in unlike(group) if each.refuses]:
            raise UserError(
                f"{suite}: {model} on {task}: the rows answer different questions: {'; '.join(refused)}; keep them apart with "
                "another --out, or show them all the same with --allow-unequal"
            )


def unfair(rows: Sequence[Row]) -> Iterator[str]:
    """Sentences for the caption of one table: what differs, and who spent more than the budget."""
    for each in unlike(rows):
        unequal = "not the same question" if each.refuses else "not the same chance"
        yield f"{unequal}: {each.sentence}"
    for row in rows:
        for run in row.records:
            yield from (f"{row.label} (seed {run.setup.seed}): {over}" for over in overrun(run))
        for transfer in row.transfers:
            yield from (f"not the same chance: {row.label} {difference}" for difference in _unlike_alone(row, transfer))


def unfair_on(rows: Sequence[Row], suite: str, model: str, tasks: Sequence[str]) -> Iterator[str]:
    """`unfair` of each of these tasks, by its name: for what is said of a model's rows on several of them."""
    for (of_suite, of_model, task), group in grouped(rows).items():
        if (of_suite, of_model) == (suite, model) and task in tasks:
            yield from (f"{task}: {said}" for said in unfair(group))


def _unlike_alone(row: Row, transfer: Transfer) -> Iterator[str]:
    """Of a mixture and the runs on one of its tasks alone, which agree in all else that makes a chance."""
    together, alone = ("; ".join(sorted(set(filter(None, map(_tuning_trials, runs))))) for runs in (row.records, transfer.runs))
    # A record without costs does not say whether it trained.
    if together and alone and together != alone:
        yield f"had {together} trials, and {transfer.strategy} on {transfer.task} alone {alone}"


def overrun(record: Record) -> Iterator[str]:
    """What a run spent beyond its budget: of a counted unit anything, of seconds more than 2 %."""
    for name, part in record.spending.passed.items() if record.spending else ():
        digits = 1 if name == "seconds" else 0
        yield f"spent {part.spent:,.{digits}f} {UNITS.get(name, name)} of a budget of {part.limit:,.{digits}f}"


def aspects(rows: Sequence[Row]) -> list[Aspect]:
    """What must be alike in rows with these probes."""
    return [*ASPECTS, *(aspect for name in probe_names(rows) for aspect in _probe_aspects(name))]


def _probe_aspects(name: str) -> Iterator[Aspect]:
    yield Aspect(f"items of {name}", True, partial(_probe_items, name=name))
    yield Aspect(f"measure of {name}", True, partial(_probe_measure, name=name))
    yield Aspect(f"definition of {name}", True, partial(probe_definition, name=name))


def _elsewhere_aspects(rows: Sequence[Row]) -> Iterator[Aspect]:
    """Of each other task and domain that rows have a score on. What one mixed in and another was never trained on have columns
    of their own."""
    for kind, name in dict.fromkeys((row.kind(name), name) for row in rows for name in row.elsewhere):
        yield Aspect(f"items of {name}", True, partial(_items_elsewhere, kind=kind, name=name))


def _items_elsewhere(record: Record, kind: str, name: str) -> str | None:
    away = record.outcome.elsewhere.get(name) if record.outcome else None
    return f"{away.score.n:,}" if away and Row((record,)).kind(name) == kind else None


def _search_space_aspects(rows: Sequence[Row]) -> Iterator[Aspect]:
    """One for each strategy: each has a space of its own by design, and only its own rows can differ in it."""
    for strategy in dict.fromkeys(row.setup.strategy for row in rows):
        yield Aspect(f"search space of {strategy}", False, partial(_search_space, strategy=strategy))


def _short_model_hash(record: Record) -> str | None:
    """Two folders of one name may hold two models."""
    model_hash = record.provenance.model_hash
    return model_hash and model_hash[:8]


def _short_data_hash(record: Record) -> str | None:
    data_hash = record.provenance.data_hash
    # A sentence holds the values of all rows side by side.
    return data_hash and data_hash[:8]


def _scored_item_count(record: Record) -> str | None:
    return f"{record.outcome.score.n:,}" if record.outcome else None


def _forgetting_in_record(record: Record, name: str) -> Forgetting | None:
    return record.outcome.forgetting.get(name) if record.outcome else None


def _probe_items(record: Record, name: str) -> str | None:
    probe = _forgetting_in_record(record, name)
    # Somebody else's result need not say how many items it asked.
    return f"{probe.n:,}" if probe and probe.n else None


def _probe_measure(record: Record, name: str) -> str | None:
    probe = _forgetting_in_record(record, name)
    return f"{probe.value_name}{' as a share' if probe.share else ''}" if probe else None


def _score_metric(record: Record) -> str | None:
    return record.outcome.score.name if record.outcome else None


def _task_wording(record: Record) -> str | None:
    """The task's own words: the prompt's beginning, and a hash of all of them. That a strategy is asked by instruction and
    another plainly is the strategy's: its gain is over the base in the same words."""
    task = record.task_definition
    words = {name: task.get(name) for name in ("prompt", "answers", "instructions")}
    # The beginning is for a person, and the hash for words that differ behind it.
    return f"{str(words['prompt'])[:24]!r} {digest(words)[:6]}" if any(words.values()) else None


def _best_base_wording(record: Record) -> str | None:
    return record.outcome.best_base.style if record.outcome and record.outcome.best_base else None


def _used_precision(record: Record) -> str | None:
    origin = record.provenance
    precision = origin.environment.get("precision") or origin.device.get("precision")
    return str(precision) if precision else None


def _engine_number(record: Record) -> str | None:
    engine = record.provenance.engine_version
    return None if engine is None else str(engine)


def _run_trains(record: Record) -> bool:
    return bool(record.cost and record.cost.train_examples)


def _training_budget(record: Record) -> str | None:
    # A training of unknown budget may have had any chance, which is no equal one.
    return (record.setup.budget or NOT_KNOWN) if _run_trains(record) or _may_have_trained(record) else None


def _placement_of_seconds(record: Record) -> str | None:
    """`cpu x 4`: what seconds are worth hangs on the kind of device and on how many there are. No other budget has one."""
    placement = record.provenance.inputs.get("placement")
    return str(placement) if placement else None


def _tuning_trials(record: Record) -> str | None:
    trials = record.setup.tuning.trials
    chosen = _run_trains(record) or _has_untrained_settings(record) or _may_have_trained(record)
    return (NOT_KNOWN if trials is None else str(trials)) if chosen else None


def _may_have_trained(record: Record) -> bool:
    """Whether somebody else's result is of a model of which nobody says how it came to be: it may have had any trials."""
    return record.provenance.source is not None and (record.cost is None or record.cost.train_examples is None)


def _has_untrained_settings(record: Record) -> bool:
    """Whether a row that trains nothing hangs on settings, as `few-shot` on its shots: trials could choose them."""
    return bool(record.cost and record.cost.train_examples == 0 and record.setup.hyperparameters)


def _tuning_detail(record: Record, name: str) -> str | None:
    """How the trials were made; without any a record says nothing of it, and their number tells that."""
    value = getattr(record.setup.tuning, name)
    return None if value is None else str(value)


def _search_space(record: Record, strategy: str) -> str | None:
    space = (record.provenance.inputs.get("search") or {}).get("space")
    if record.setup.strategy != strategy or not space:
        return None
    return " and ".join(f"{name} {_range_in_words(values)}" for name, values in sorted(space.items()))


def _range_in_words(values: Mapping[str, Any]) -> str:
    """`1e-05 to 0.001 by its logarithm`"""
    # True and 1 are two choices, which JSON keeps apart.
    if "choice" in values:
        return f"one of {json.dumps(values['choice'])}"
    kinds = (" in whole numbers" if values.get("integer") else "", " by its logarithm" if values.get("log") else "")
    return f"{values['low']!r} to {values['high']!r}{''.join(kinds)}"


MODEL_CONTENT = Aspect("model's content", True, _short_model_hash)
BEST_WORDING = Aspect("best wording of the base", True, _best_base_wording)
ASPECTS = (
    MODEL_CONTENT,
    Aspect("data", True, _short_data_hash),
    Aspect("number of items", True, _scored_item_count),
    Aspect("metric", True, _score_metric),
    Aspect("wording of the task", True, _task_wording),
    BEST_WORDING,
    Aspect("precision", True, _used_precision),
    Aspect("engine version", True, _engine_number),
    Aspect("budget", False, _training_budget),
    Aspect("placement of the budget's seconds", False, _placement_of_seconds),
    Aspect("number of trials", False, _tuning_trials),
    Aspect("a trial's share of the budget", False, partial(_tuning_detail, name="share")),
    Aspect("a trial's number of seeds", False, partial(_tuning_detail, name="seeds")),
    Aspect("a trial's validation items", False, partial(_tuning_detail, name="items")),
    Aspect("sampler of trials", False, partial(_tuning_detail, name="sampler")),
    Aspect("pruner of trials", False, partial(_tuning_detail, name="pruner")),
)
