"""`tunebench init`: a person's data looked at, guessed and shown, and the suite written once they agree."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.markup import escape
from rich.table import Table as Grid

from bench import folders
from bench.drafting import outlook, yaml_files
from bench.drafting.draft import Draft, drafted, name_of
from bench.drafting.findings import SplitCounts, faults, fitting_length, shown_prompt, split_counts
from bench.drafting.table import opened
from bench.drafting.wishes import Wishes
from bench.durations import lasting
from bench.errors import UserError
from bench.modeling.models import Model
from bench.planning.data_view import SPLITS, DataView
from bench.planning.planned_model import planned_model
from bench.specs.library import Library
from bench.specs.wording import Wording
from bench.tasks import splits, types
from bench.tasks.encoding import Encoding
from bench.tasks.splits import TaskData
from bench.tasks.types import TaskType
from reports.unseen_characters import printable

EXAMPLES = 5
LENGTHS = {"ner": 256, "qa": 384}
"""Types that an encoder reads in windows, whose length no text must fit."""
LONGEST = 512
GUESS_HEADERS = {"guessed": "guessed", "": "guess", "because": "because", "change it by": "change_it_by"}
"""Of what was guessed: header -> its term in reports/definitions.yaml, for which a test asks."""
COUNT_HEADERS = {
    "split": "split",
    "examples": "split_examples",
    "words": "split_words",
    "tokens": "split_tokens",
    "cut": "split_cut",
    "labels": "split_labels",
}
"""Of the counts, likewise."""


@dataclass(frozen=True)
class Looked:
    """A draft and its data as the model will read them."""

    draft: Draft
    view: DataView
    model: str
    suite: dict[str, Any]
    counts: Sequence[SplitCounts]


def start_suite(what: str, given: Wishes, yes: bool, force: bool) -> None:
    """Look, tell, ask and write.

    Raises:
        UserError: something is missing that only a person can say, a file would be overwritten, or nobody can be asked.
    """
    to = Console(highlight=False)
    if not to.is_terminal:  # a log has no width
        to.width = max(to.width, 132)
    looked = _look_and_show(what, given, force, to)
    while not yes and (change := _wanted_change(yaml_files.places(looked.draft.name))):
        try:
            changed = given.changed(change)
            looked = _look_and_show(what, changed, force, to)
            given = changed
        except UserError as error:  # a slip; what was said before still holds
            _say_printable(f"error: {error}", to)
    write(looked)
    _tell_next(looked, to)


def _look_and_show(what: str, given: Wishes, force: bool, to: Console) -> Looked:
    _refuse_to_overwrite(yaml_files.places(given.name or name_of(what)), force)  # before anything big is read
    looked = look(what, given)
    show(looked, to)
    return looked


def look(what: str, given: Wishes) -> Looked:
    """Read the data and draft a task of it; nothing is written."""
    draft = drafted(opened(what, given), given)
    spec, name = draft.spec(), yaml_files.model_of(draft, given.model)
    model = planned_model(name, Library())
    if model.checkpoint is None:
        raise UserError(f"'{name}' is asked {model.reached}; draft with a model on this machine, and run with --model")
    kind, data = types.task_type(spec), splits.load_splits(spec)
    if model.family == "encoder" and kind.auto_class is None:
        raise UserError(f"'{name}' is an encoder, and a {spec.type} task needs a decoder; leave --model out, or say smollm2")
    length = given.max_length or LENGTHS.get(spec.type) or _length(kind, data, model)
    view = DataView(kind, data, Encoding(model, length), Wording())
    suite = yaml_files.suite_of(draft, name, length)
    return Looked(draft, view, name, suite, [split_counts(view, split) for split in SPLITS])


def _length(kind: TaskType, data: TaskData, model: Model) -> int:
    """That holds nearly all training texts, and beside each of them what the model may write."""
    whole = Encoding(model, LONGEST)
    rows = DataView(kind, data, whole, Wording()).rows("train", min(1000, len(data.train)))
    return fitting_length([row["tokens"] + kind.answer_tokens for row in rows], whole.max_length)


def _refuse_to_overwrite(written: Sequence[Path], force: bool) -> None:
    there = [str(path) for path in written if path.exists()]
    if there and not force:
        raise UserError(f"{' and '.join(there)} would be overwritten; say --force to do so, or another --name")


def show(looked: Looked, to: Console) -> None:
    """What was guessed and why, five examples, counts, and what will hurt."""
    draft = looked.draft
    _say_printable(f"{draft.table.name}: {draft.table.total:,} rows, {len(draft.table.columns)} columns", to)
    grid = Grid(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for header in GUESS_HEADERS:
        grid.add_column(header, overflow="fold")
    for guess in draft.guesses:
        grid.add_row(guess.about, *map(_escaped_cell, (guess.value.replace("\t", "tab"), guess.why, guess.option)))
    to.print(grid)
    to.print(f"{EXAMPLES} examples as {looked.model} reads them:")
    for row in looked.view.rows("train", EXAMPLES):
        said = ", ".join(row["gold"]) if isinstance(row["gold"], (list, tuple)) else row["gold"]
        read, answer = map(printable, (shown_prompt(row, to.width - 4), row["answer"] or said))
        to.print(f"  {read}\n    -> {answer}  ({row['tokens']} tokens)", markup=False, overflow="fold")
    _show_counts(looked.counts, to)
    for sentence in faults(draft, looked.view, looked.counts, looked.suite["budget"]):
        _say_printable(f"warning: {sentence}", to)


def _say_printable(sentence: str, to: Console) -> None:
    """What stands in the file must not steer the terminal."""
    to.print(printable(sentence), markup=False, soft_wrap=True)


def _escaped_cell(text: str) -> str:
    return escape(printable(text))


def _show_counts(counts: Sequence[SplitCounts], to: Console) -> None:
    grid = Grid(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for header in COUNT_HEADERS:
        grid.add_column(header, justify="left" if header in ("split", "labels") else "right", overflow="fold")
    for count in counts:
        words, tokens = (f"{of['least']}-{of['most']}, mid {of['median']:.0f}" for of in (count.words, count.tokens))
        labels = sorted(count.labels.items(), key=lambda pair: -pair[1])
        named = ", ".join(f"{label} {number:,}" for label, number in labels[:8]) + (", ..." if len(labels) > 8 else "")
        grid.add_row(count.name, f"{count.examples:,}", words, tokens, str(count.cut), _escaped_cell(named))
    to.print(grid)


def _wanted_change(written: Sequence[Path]) -> str:
    """What a person wants changed; nothing where they agree.

    Raises:
        UserError: standard input is no terminal.
        KeyboardInterrupt: they leave.
    """
    if not sys.stdin.isatty():
        raise UserError("nobody can be asked whether this is right: say --yes to take it, or change it by the options above")
    try:
        line = input(f"Enter writes {' and '.join(map(str, written))}; or say what to change, as label=COLUMN; q leaves: ")
    except EOFError:  # Ctrl-D
        raise KeyboardInterrupt from None
    if line.strip() == "q":
        raise KeyboardInterrupt
    return line.strip()


def write(looked: Looked) -> tuple[Path, Path]:
    """The suite's file and the task's."""
    suite, task = yaml_files.places(looked.draft.name)
    with folders.writing(suite) as temporary:  # both are there, or neither
        temporary.write_text(yaml_files.suite_yaml(looked.suite), encoding="utf-8")
        folders.write_text(task, yaml_files.task_yaml(looked.draft))
    return suite, task


def _tell_next(looked: Looked, to: Console) -> None:
    suite, task = yaml_files.places(looked.draft.name)
    to.print(f"written: {suite}, {task}", markup=False)
    try:
        takes = f", {_time_and_memory(outlook.outlook(suite))}"
    except UserError as error:  # such as a probe's data that cannot be fetched: the files are there all the same
        _say_printable(f"warning: what it takes is not known: {error}", to)
        takes = ""
    to.print(f"next{takes}:\n  tunebench run --suite {suite}", markup=False, soft_wrap=True)


def _time_and_memory(ahead: outlook.Outlook) -> str:
    time = "" if ahead.seconds is None else f"about {lasting(ahead.seconds)} and "
    return f"{time}{ahead.memory_bytes / 1e9:.1f} GB for {ahead.runs} runs on this machine"
