"""Rows as Hugging Face's hub reads them: a model card with its `model-index`, and a file of `.eval_results/`.

Both are made of huggingface_hub's own classes, so that what they write is what the hub knows.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import yaml

from bench import __version__
from bench.groups import groups_by
from reports.exchange.tables import rows_as_markdown, score_text
from reports.formats.markdown import escaped
from reports.rows.numbers import MISSING
from reports.rows.row import Row

if TYPE_CHECKING:
    from huggingface_hub import EvalResult

TASK_TYPES = {
    "classification": "text-classification",
    "ner": "token-classification",
    "qa": "question-answering",
    "multiple-choice": "multiple-choice",
    "generation": "text-generation",
    "dialogue": "text-generation",
    "causal-lm": "text-generation",
}
"""A task's type -> what the hub calls it."""


@dataclass(frozen=True)
class HubDataset:
    """Under which name the hub knows a task's data, which no record does."""

    dataset_id: str
    task_id: str
    revision: str | None = None
    source_url: str | None = None
    """Where the results can be looked at."""


def eval_results(row: Row, known: HubDataset) -> str:
    """The row's score as the content of a file in `.eval_results/`; a share is given as it is."""
    from huggingface_hub import EvalResultEntry, eval_result_entries_to_yaml

    entry = EvalResultEntry(
        dataset_id=known.dataset_id,
        task_id=known.task_id,
        value=row.score.value if row.score else None,
        dataset_revision=known.revision,
        date=row.first.provenance.started,
        source_url=known.source_url,
        # The hub's class takes no name of a source without its address.
        source_name=measured_by(row).name if known.source_url else None,
        notes=notes_of(row),
    )
    return yaml.safe_dump(eval_result_entries_to_yaml([entry]), sort_keys=False, allow_unicode=True)


def notes_of(row: Row) -> str:
    """`accuracy .846 [.821, .869]; full, 400examples, seeds 0, 1, 2; tunebench 0.1.0`"""
    budget = f", {row.setup.budget}" if row.trains and row.setup.budget else ""
    return f"{row.quantity.name} {score_text(row)}; {row.label}{budget}, seeds {row.seeds}; {measured_by(row)}"


class Measurer(NamedTuple):
    """The program that asked the model."""

    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.name} {self.version}"


def measured_by(row: Row) -> Measurer:
    """Tunebench, or the program that an imported row's file is of."""
    origin = row.first.provenance
    if origin.source is None:
        return Measurer("tunebench", __version__)
    whose = origin.source.whose
    # PEFT's comparison is no package, and has the version of PEFT.
    return Measurer(whose, next((origin.versions[name] for name in origin.versions if whose.startswith(name)), "unknown"))


def model_card(rows: Sequence[Row], name: str, base_model: str | None = None) -> str:
    """A card for a model that was trained so: `rows` are its strategy's, one for each task.

    `base_model` is the base's id on the hub; without it the card names none.
    """
    from huggingface_hub import ModelCard, ModelCardData

    # The hub loads an adapter by another library than a whole model.
    adapter, types = "peft" in rows[0].setup.hyperparameters, {_task_type(row) for row in rows}
    data = ModelCardData(
        base_model=base_model,
        library_name="peft" if adapter else "transformers",
        pipeline_tag=types.pop() if len(types) == 1 else None,
        tags=["tunebench"],
        metrics=list(dict.fromkeys(row.quantity.name for row in rows)),
        model_name=name,
        eval_results=[_eval_result(row) for row in rows],
    )
    return str(ModelCard(f"---\n{data.to_yaml()}\n---\n\n{_body(rows, name)}"))


def _task_type(row: Row) -> str:
    return TASK_TYPES.get(str(row.first.task_definition.get("type")), "other")


def _eval_result(row: Row) -> "EvalResult":
    from huggingface_hub import EvalResult

    return EvalResult(
        task_type=_task_type(row),
        dataset_type=row.setup.task,
        dataset_name=row.setup.task,
        dataset_split="test",
        metric_type=row.quantity.name,
        metric_value=row.score.value if row.score else None,
        metric_name=f"{row.quantity.name} over {row.outcome.score.n:,} items" if row.outcome else None,
    )


def _body(rows: Sequence[Row], name: str) -> str:
    """What was trained how, what it gained and forgot, and what the numbers hold."""
    names = sorted({key for row in rows for key in row.setup.hyperparameters})
    settings = "\n".join(f"- {escaped(key)}: {escaped(_by_task(rows, partial(_setting, key)))}" for key in names)
    return f"""# {escaped(name)}

{escaped(_origin_sentence(rows))}
{escaped(_measurer_sentence(rows))}

{rows_as_markdown(rows)}
## Hyper-parameters

{settings}

## Made with

{escaped(_by_task(rows, _versions_text))}; seeds {escaped(_by_task(rows, lambda row: row.seeds))}.
"""


def _origin_sentence(rows: Sequence[Row]) -> str:
    """How the model came to be, as far as it is known."""
    setup, imported = rows[0].setup, any(row.first.provenance.source for row in rows)
    if not any(row.budget for row in rows):
        # Files of others may not tell how a model was trained, and then they don't tell either that it was not.
        return f"{setup.model}, by the strategy {setup.strategy}{'' if imported else ', which trains nothing'}."
    return f"{setup.model}, trained by the strategy {setup.strategy} with a budget of {_by_task(rows, _budget_text)}."


def _budget_text(row: Row) -> str:
    return row.budget or ("nothing" if row.budget == "" else "unknown size")


def _measurer_sentence(rows: Sequence[Row]) -> str:
    """By whom, and what the tables show."""
    sources = [row.first.provenance.source for row in rows]
    if not any(sources):
        measurer = "Measured by tunebench"
        what = ": what training gained over the untouched model, and what it lost of what the model could do before."
        tables = what if any(row.trains for row in rows) else "."
    else:
        measurer = f"Measured by {_by_task(rows, lambda row: str(measured_by(row)))}"
        tables = "; the table was made by tunebench."
    loss = "\nPositive forgetting is a loss." if any(row.forgetting for row in rows) else ""
    return f"{measurer}{tables}{loss}"


def _by_task(rows: Sequence[Row], text: Callable[[Row], str]) -> str:
    """`64examples`, or where not all tasks have the same, as tuning leaves them: `64examples (rte), 512examples (sst2)`"""
    alike = groups_by(rows, text)
    # A value without its tasks would be taken for that of all of them.
    named = (f"{value} ({', '.join(row.setup.task for row in part)})" for value, part in alike.items())
    return ", ".join(alike if len(alike) == 1 else named)


def _setting(name: str, row: Row) -> str:
    return str(row.setup.hyperparameters.get(name, MISSING))


def _versions_text(row: Row) -> str:
    return ", ".join(f"{name} {version}" for name, version in sorted(row.first.provenance.versions.items()))
