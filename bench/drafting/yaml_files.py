"""The drafted task and suite as YAML with comments, for a person to read and change."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from bench.drafting.draft import Draft
from bench.errors import FormatError, UserError
from bench.specs.suite import SuiteSpec
from bench.specs.yaml_text import know_exponents, yaml_value
from reports.unseen_characters import printable

FOLDER = Path("suites")
STRATEGIES = {
    "classification": ["zero-shot", "few-shot", "full", "frozen", "lora-8bit"],
    "ner": ["zero-shot", "full", "frozen", "lora-8bit"],
    "qa": ["zero-shot", "full", "frozen", "lora-8bit"],
    "generation": ["zero-shot", "few-shot", "full", "frozen", "lora-8bit"],
    "causal-lm": ["zero-shot", "full", "frozen", "lora-8bit"],
}
MODELS = {"generation": "smollm2", "causal-lm": "smollm2"}
"""Types that need a decoder; the others begin on an encoder, which trains several times as fast."""
ENCODER = "minilm"
BUDGETS = {
    "classification": "1040examples",
    "ner": "2560examples",
    "qa": "960examples",
    "generation": "256examples",
    "causal-lm": "256examples",
}
"""About what built-in suites of these types train on."""
INSTRUCTIONS = {
    "classification": "Which of these is it: {answers}?",
    "ner": "List the names as NAME (TYPE), divided by semicolons, or none. The types are {answers}.",
    "qa": "Answer the question with words from the text.",
    "generation": "Write the {answered}.",
}


def places(name: str) -> tuple[Path, Path]:
    """Where the suite and the task are written."""
    return FOLDER / f"{name}.yaml", FOLDER / "tasks" / f"{name}.yaml"


def model_of(draft: Draft, named: str | None) -> str:
    return named or MODELS.get(draft.roles.type, ENCODER)


def suite_of(draft: Draft, model: str, max_length: int) -> dict[str, Any]:
    """The suite's YAML as values."""
    values = {
        "name": draft.name,
        "version": 1,
        "description": f"{draft.table.name}: what each strategy gains, forgets and costs",
        "models": [model],
        "tasks": [draft.name],
        "strategies": STRATEGIES[draft.roles.type],
        "probes": ["wikipedia", "lambada", "arc-easy", "mrpc"],
        "probe_items": 64,
        "encoder_probe_items": 128,
        "seeds": 1,
        "budget": BUDGETS[draft.roles.type],
        "batch": 16,
        "max_length": max_length,
    }
    SuiteSpec.model_validate(values)
    return values


SUITE_COMMENTS = {
    "models": "also smollm2, a hub id, or a folder; --model names one instead",
    "strategies": "instruction and multitask too, once the task has instructions",
    "probes": "what the model could do before; a model is asked those of its own family",
    "seeds": "3 or more say how far another seed would move a score",
    "budget": "what each strategy may train on; also 200steps, 80ktokens, 90s, 4GB",
    "max_length": "tokens of one example",
}


def suite_yaml(suite: Mapping[str, Any]) -> str:
    """Each field on a line, with what it is for."""
    return _checked_yaml("".join(_yaml_line(name, value, SUITE_COMMENTS.get(name)) for name, value in suite.items()))


def task_yaml(draft: Draft) -> str:
    """Each field on a line, with why it was guessed so."""
    why = {guess.about: guess.why for guess in draft.guesses}
    comments = {
        "version": "raise it when the meaning changes: it enters the run's id",
        "type": why.get("type"),
        "metrics": "the first is the score",
        "labels": why.get("labels") or why.get("types"),
        "cluster": why.get("group"),
        "validation": why.get("validation") or why.get("splits"),
        "test": why.get("test") or why.get("splits"),
        "prompt": "what a decoder reads before its answer; an encoder reads the fields in braces",
        "answers": "the words by which a decoder answers",
    }
    lines = [f"# Drafted by `tunebench init {_comment(draft.table.name)}`. Change what is not as you mean it.\n"]
    for name, value in draft.task().items():
        if isinstance(value, dict) and "columns" in value:
            lines += [f"{name}:\n", *_source_lines(value, why)]
        else:
            lines.append(_yaml_line(name, value, comments.get(name)))
    return _checked_yaml("".join([*lines, *_instructions(draft)]))


def _source_lines(source: Mapping[str, Any], why: Mapping[str, str]) -> list[str]:
    comments = {
        "columns": "field of the task: column of the file",
        "values": "what the file says: what the task says",
        "drop": "rows that are left out",
        "sample": why.get("sample"),
        **{name: why.get(name) for name in ("format", "encoding", "separator", "header")},
    }
    shown = {name: _relative_to_tasks(value) if name in ("path", "hub") else value for name, value in source.items()}
    return [f"  {_yaml_line(name, value, comments.get(name))}" for name, value in shown.items()]


def _relative_to_tasks(place: str) -> str:
    """As it is meant from the task's folder, if it lies in this one or beside; a hub's name stays."""
    here = Path.cwd().resolve()
    if not Path(place).is_absolute() or here.parent not in Path(place).parents:
        return place
    # A hub data set that is a folder begins with ./ or ../.
    return os.path.relpath(place, here / FOLDER / "tasks")


def _instructions(draft: Draft) -> list[str]:
    """A wording to be changed, as a comment: nobody guesses well how a person would put it."""
    words = INSTRUCTIONS.get(draft.roles.type)
    if words is None:
        return []
    said = words.format(
        answers=", ".join(draft.roles.answers.values()), answered=draft.roles.columns.get("references", "answer")
    )
    fields = "\n".join(dict.fromkeys(f"{{{name}}}" for name in sorted(draft.spec().fields_named())))
    train, test = ("\n".join(parts) for parts in ((said, fields), (fields, said)))
    return [
        "# Strategies that train on instructions, and models behind an API, are asked by these; put them into your words:\n",
        "# instructions:\n",
        f"#   train: {flow([train])}\n",
        f"#   test: {flow([test])}   # unseen in training\n",
    ]


def _yaml_line(name: str, value: Any, comment: str | None) -> str:
    written = f"{name}: {flow(value)}"
    return f"{written}  # {_comment(comment)}\n" if comment else f"{written}\n"


def _comment(said: str) -> str:
    """It ends with its line, and YAML holds no control characters, whatever a column or a label is called."""
    return " ".join(printable(said).split())


def _checked_yaml(text: str) -> str:
    """The text, if it can be read again.

    Raises:
        UserError: it can't.
    """
    try:
        yaml_value(text)
    except FormatError as error:
        raise UserError(
            f"what would be written is no YAML ({_comment(str(error))}); rename what is named so in the file"
        ) from error
    return text


class _OneLine(yaml.SafeDumper):
    """Text with line breaks in quotes, where YAML would go on in the next line."""


_OneLine.add_representer(
    str,
    lambda dumper, text: dumper.represent_scalar("tag:yaml.org,2002:str", text, style=None if text.isprintable() else '"'),
)


know_exponents(_OneLine)


def flow(value: Any) -> str:
    """A value on one line of YAML."""
    # PyYAML folds lines at 80 characters unless they may be longer, and ends a single value with a line of dots.
    text = yaml.dump(value, Dumper=_OneLine, default_flow_style=True, width=10**9, allow_unicode=True, sort_keys=False).strip()
    return text.removesuffix("...").strip()
