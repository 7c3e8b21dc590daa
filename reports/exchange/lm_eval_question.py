"""What a task of lm-evaluation-harness was asked: words, data, solved examples, and how answers are read."""

import re
from collections.abc import Iterable, Mapping
from typing import Any

from bench.hashing import digest
from reports.exchange.identity import told_words
from reports.exchange.lm_eval_metrics import HarnessMetric
from reports.exchange.untrusted_files import Given
from reports.rows.import_aspects import OF_IMPORT, PROMPTS_OF_IMPORT, QUESTION_OF_IMPORT, SHOTS_OF_IMPORT

WORDING_FIELDS = ("doc_to_text", "doc_to_target", "doc_to_choice", "description")
"""Fields of a task's configuration that say in which words its items are asked."""
SET_WORDING = {"target_delimiter": " ", "fewshot_delimiter": "\n\n"}
"""Such fields that have a value where nobody sets them."""
RUN_WORDING = ("system_instruction", "system_instruction_sha", "fewshot_as_multiturn")
"""Fields beside it that put other words around each question."""
QUESTION_FIELDS = (
    "dataset_path",
    "dataset_name",
    "test_split",
    "validation_split",
    "process_docs",
    "output_type",
    "generation_kwargs",
)
"""Fields of a task's configuration that say which items are asked, and how they are answered."""
CHANGES_NO_DATA = "trust_remote_code"
"""Of how a data set is loaded, what older versions of the library had to be told."""
SHOT_FIELDS = ("fewshot_split", "fewshot_config")
"""Those that say from where solved examples are drawn; `fewshot_seed` stands among the run's settings."""


def asked_inputs(whole: Given, task: str, score: HarnessMetric) -> dict[str, Any]:
    """What must be alike in rows that are compared, by the names of a record's inputs, as far as the file tells it.

    Args:
        score: the metric by which the task is ranked.
    """
    config, shots = whole["configs"][task], whole["n-shot"][task].whole()
    drawn = _given(config, SHOT_FIELDS) | _given(whole["config"], ("fewshot_seed",)) if shots else {}
    hashes = _value(whole, "task_hashes")
    prompts = hashes.get(task) if isinstance(hashes, dict) else None
    told = {
        OF_IMPORT: _words(whole, config),
        QUESTION_OF_IMPORT: _hash_of(_question(config, score)),
        SHOTS_OF_IMPORT: f"{shots} ({digest(_without_addresses(drawn))[:6]})" if drawn else str(shots),
        PROMPTS_OF_IMPORT: None if prompts is None else digest(str(prompts)),
    }
    return {name: value for name, value in told.items() if value}


def _words(whole: Given, config: Given) -> dict[str, str]:
    """In which the task was asked, as far as its configuration says so: its prompt's beginning, and a hash of all of them."""
    given = _given(config, WORDING_FIELDS)
    # A release that does not write a field yet asks as one that writes what stands there by itself.
    given |= {name: value for name, value in _given(config, SET_WORDING).items() if value != SET_WORDING[name]}
    given |= {name: value for name, value in _given(whole, RUN_WORDING).items() if value}
    known = _without_addresses(given)
    return told_words(known.get(WORDING_FIELDS[0], ""), known) if known else {}


def _question(config: Given, score: HarnessMetric) -> dict[str, Any]:
    """Which items are asked, how often, and how the answers to them are read and counted."""
    asked = {name: value for name, value in _given(config, QUESTION_FIELDS).items() if value}
    loading = _value(config, "dataset_kwargs")
    if isinstance(loading, Mapping) and (chosen := {name: value for name, value in loading.items() if name != CHANGES_NO_DATA}):
        asked["dataset_kwargs"] = chosen
    if (repeats := _value(config, "repeats")) not in (None, 1):
        asked["repeats"] = repeats
    # More filters and metrics beside those that are ranked by change no score.
    asked["filter"] = _listed(config, "filter_list", "name", score.filter)
    asked["metric"] = _listed(config, "metric_list", "metric", score.name)
    return {name: value for name, value in asked.items() if value}


def _listed(config: Given, field: str, key: str, wanted: str) -> Any:
    """The entry of one of a configuration's lists that has this name."""
    listed = _value(config, field)
    entries = listed if isinstance(listed, list) else []
    return next((entry for entry in entries if isinstance(entry, dict) and entry.get(key) == wanted), None)


def _value(of: Given, name: str) -> Any:
    """None where it is not told."""
    part = of.get(name)
    return None if part is None else part.value


def _given(of: Given, names: Iterable[str]) -> dict[str, Any]:
    return {name: value for name in names if (value := _value(of, name)) is not None}


def _without_addresses(values: Mapping[str, Any]) -> dict[str, str]:
    # A function without a source is told by its place in memory, which is another one in each process.
    return {name: re.sub(r" at 0x[0-9a-f]+", "", str(value)) for name, value in values.items()}


def _hash_of(values: Mapping[str, Any]) -> str | None:
    return digest(_without_addresses(values)) if values else None
