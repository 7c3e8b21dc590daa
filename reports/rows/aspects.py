"""What must be alike in all rows of a table, and how a run's record shows it."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from bench.hashing import digest
from bench.records.outcome import Forgetting
from bench.records.record import Record
from reports.rows import import_aspects
from reports.rows.probe_definition import probe_definition
from reports.rows.row import KINDS, Row
from reports.rows.rows import probe_names
from reports.rows.spreads import run_trains

NOT_KNOWN = "not known"
OF_WORDING = ("prompt", "answers", "instructions")
OF_DATA = ("train", "validation", "test", "out_of_domain")
"""Fields of a task's definition that have aspects of their own, which tell them in fewer letters."""


@dataclass(frozen=True)
class Aspect:
    """What must be alike in all rows of a table, and how a run shows it; None where its record does not know."""

    name: str
    refuses: bool
    of: Callable[[Record], str | None]


def all_aspects(rows: Sequence[Row]) -> list[Aspect]:
    """What must be alike in these rows of one suite, model and task."""
    return [*aspects(rows), *_elsewhere_aspects(rows), *_search_space_aspects(rows)]


def aspects(rows: Sequence[Row]) -> list[Aspect]:
    """What must be alike in rows with these probes."""
    return [*ASPECTS, *_prompt_aspects(rows), *(aspect for name in probe_names(rows) for aspect in _probe_aspects(name))]


def _prompt_aspects(rows: Sequence[Row]) -> Iterator[Aspect]:
    """One for each way to show solved examples, since others make other prompts of the same items."""
    for shots in dict.fromkeys(import_aspects.solved_examples(run) for row in rows for run in row.records):
        if shots:
            of = partial(import_aspects.prompts_of_import, shots=shots)
            yield Aspect(f"prompts after {shots} solved examples", True, of)


def _probe_aspects(name: str) -> Iterator[Aspect]:
    yield Aspect(f"items of {name}", True, partial(_probe_items, name=name))
    yield Aspect(f"measure of {name}", True, partial(_probe_measure, name=name))
    yield Aspect(f"definition of {name}", True, partial(probe_definition, name=name))


def _elsewhere_aspects(rows: Sequence[Row]) -> Iterator[Aspect]:
    """Of each other task and domain that rows have a score on. What one mixed in and another was never trained on have columns
    of their own."""
    for kind, name in dict.fromkeys((row.kind(name), name) for row in rows for name in row.elsewhere):
        yield Aspect(f"items of {name}", True, partial(_items_elsewhere, kind=kind, name=name))
        yield Aspect(f"definition of {name}", True, partial(_hash_elsewhere, kind=kind, name=name))


def _items_elsewhere(record: Record, kind: str, name: str) -> str | None:
    away = record.outcome.elsewhere.get(name) if record.outcome else None
    return f"{away.score.n:,}" if away and Row((record,)).kind(name) == kind else None


def _hash_elsewhere(record: Record, kind: str, name: str) -> str | None:
    """A hash of another task's definition, its data included. What a domain is, the hash of the row's own data tells."""
    tasks = record.provenance.inputs.get(KINDS.get(kind, "")) or ()
    return next((digest(task)[:6] for task in tasks if task["name"] == name), None)


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


def _wording_item_count(record: Record) -> str | None:
    """Of each single wording of an instruction."""
    robustness = record.outcome.robustness if record.outcome else None
    return " and ".join(f"{n:,}" for n in sorted({score.n for score in robustness.scores.values()})) if robustness else None


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
    inputs, task = record.provenance.inputs, record.task_definition
    words = inputs.get(import_aspects.OF_IMPORT) or {name: task.get(name) for name in OF_WORDING}
    # The beginning is for a person, and the hash for words that differ behind it.
    return f"{str(next(iter(words.values())))[:24]!r} {digest(words)[:6]}" if any(words.values()) else None


def _task_definition(record: Record) -> str | None:
    """What else the task asks and how its answers are read; of an import, its version there."""
    task = record.task_definition
    # More metrics beside the one that is ranked by, and which items belong together, change no answer.
    asked = {name: value for name, value in task.items() if name not in (*OF_WORDING, *OF_DATA, "name", "metrics", "cluster")}
    if asked:
        return f"version {task.get('version')}, {digest(asked)[:6]}"
    version = record.setup.hyperparameters.get("task_version") if record.provenance.source else None
    return None if version is None else f"version {version}"


def _reference_precision(record: Record) -> str | None:
    """Of the base's weights, which every row starts from; a run says it where it is not fp32."""
    inputs = record.provenance.inputs
    return str(inputs.get("reference_precision", "fp32")) if "precision" in inputs else None


def _batch(record: Record) -> str | None:
    """Examples of a step: under a budget of steps they are the budget."""
    batch = record.provenance.inputs.get("batch")
    return f"{batch} examples" if batch and run_trains(record) else None


def _max_length(record: Record) -> str | None:
    """How much of a text may be read, in training and when asked."""
    length = record.provenance.inputs.get("max_length")
    return f"{length} tokens" if length else None


def _best_base_wording(record: Record) -> str | None:
    return record.outcome.best_base.style if record.outcome and record.outcome.best_base else None


def _used_precision(record: Record) -> str | None:
    origin = record.provenance
    precision = origin.environment.get("precision") or origin.device.get("precision")
    return str(precision) if precision else None


def _engine_number(record: Record) -> str | None:
    engine = record.provenance.engine_version
    return None if engine is None else str(engine)


def _training_budget(record: Record) -> str | None:
    """`64examples`, or of a training in stages, each of which has the budget anew, `64examples, after as much on rte`."""
    if not (run_trains(record) or _may_have_trained(record)):
        return None
    before = [task["name"] for task in record.provenance.inputs.get("earlier") or ()]
    # A training of unknown budget may have had any chance, which is no equal one.
    budget = record.setup.budget or NOT_KNOWN
    return f"{budget}, after as much on {' and '.join(before)}" if before else budget


def _machine_of_seconds(record: Record) -> str | None:
    """`cpu x 4, Intel(R) Xeon(R) Processor, 2 threads`: what seconds are worth hangs on it. No other budget has one."""
    placement, device = record.provenance.inputs.get("placement"), record.provenance.device
    if not placement:
        return None
    threads = f"{device['threads']} threads" if device.get("type") == "cpu" and device.get("threads") else None
    return ", ".join(str(part) for part in (placement, device.get("name"), threads) if part)


def tuning_trials(record: Record) -> str | None:
    # Of a space of a few values there may be fewer trials than were asked for: it had its whole chance with them.
    asked = ((record.provenance.inputs.get("search") or {}).get("options") or {}).get("trials")
    trials = asked or record.setup.tuning.trials
    chosen = run_trains(record) or _has_untrained_settings(record) or _may_have_trained(record)
    return (NOT_KNOWN if trials is None else str(trials)) if chosen else None


def _broken_off_trials(record: Record) -> str | None:
    """Trials that failed without an account of what they spent, as on a full disk: that strategy had fewer chances. One whose
    loss was no number had its chance."""
    tried = record.setup.tuning.tried
    return str(sum(each.status == "failed" and each.spent is None for each in tried)) if tried else None


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
TASK_DEFINITION = Aspect("definition of the task", True, _task_definition)
STEP_BATCH = Aspect("batch", False, _batch)
MAX_LENGTH = Aspect("max_length", False, _max_length)
"""By the names of the axes that `ablate` sweeps, which are meant to differ."""
ASPECTS = (
    MODEL_CONTENT,
    Aspect("data", True, _short_data_hash),
    Aspect("number of items", True, _scored_item_count),
    Aspect("number of items of each wording", True, _wording_item_count),
    Aspect("metric", True, _score_metric),
    Aspect("wording of the task", True, _task_wording),
    TASK_DEFINITION,
    Aspect("data or settings of answers", True, import_aspects.question_of_import),
    Aspect("chat template", True, import_aspects.chat_template),
    Aspect("version of lm-eval", False, partial(import_aspects.version_of_import, package="lm-eval")),
    # PEFT has changed how it measures forgetting, and its files do not say which way it was.
    Aspect("version of PEFT", False, partial(import_aspects.version_of_import, package="peft")),
    Aspect("commits of model and data", False, import_aspects.commits_of_import),
    Aspect("solved examples", False, import_aspects.solved_examples),
    BEST_WORDING,
    Aspect("precision", True, _used_precision),
    Aspect("reference precision", True, _reference_precision),
    Aspect("engine version", True, _engine_number),
    Aspect("budget", False, _training_budget),
    STEP_BATCH,
    MAX_LENGTH,
    Aspect("machine of the budget's seconds", False, _machine_of_seconds),
    Aspect("number of trials", False, tuning_trials),
    Aspect("trials that broke off", False, _broken_off_trials),
    Aspect("a trial's share of the budget", False, partial(_tuning_detail, name="share")),
    Aspect("a trial's number of seeds", False, partial(_tuning_detail, name="seeds")),
    Aspect("a trial's validation items", False, partial(_tuning_detail, name="items")),
    Aspect("sampler of trials", False, partial(_tuning_detail, name="sampler")),
    Aspect("pruner of trials", False, partial(_tuning_detail, name="pruner")),
)
