"""A file of classes: a column of them beside text."""

from collections.abc import Mapping
from pathlib import Path

from bench.drafting.roles import (
    LABEL_NAMES,
    TARGET_NAMES,
    Roles,
    fields_of,
    heading,
    in_words,
    is_label,
    is_named,
    prompt_of,
    texts_of,
)
from bench.drafting.table import FileColumn, FileTable
from bench.drafting.wishes import Guess, Wishes
from bench.errors import UserError

IMBALANCED = 0.8
"""Share of the largest class from which accuracy says little."""


def label_column(table: FileTable, given: Wishes) -> FileColumn | None:
    """The column of classes; None where nothing looks like one.

    Raises:
        UserError: it has one class, or holds several in a row.
    """
    if given.label:
        column = table.column(given.label, "label")
    else:
        # A column of one value is a label that went wrong only where its name says that it is one.
        fitting = [c for c in table.columns.values() if is_label(c) and (len(c.counts) > 1 or is_named(c, LABEL_NAMES))]
        best = max((c for c in fitting if c.name not in given.text), key=_likeness, default=None)
        if best is None:
            return None
        column = best
    if column.lists and given.type is None and is_named(column, TARGET_NAMES):
        return None  # several references, which are text that is written
    if column.lists:
        raise UserError(
            f"{table.name}: column '{column.name}' holds lists, and a classification has one label for each text; "
            f"name another column with --label, or make a column of one label"
        )
    if len(column.counts) < 2:
        only = next(iter(column.counts), "")
        raise UserError(
            f"{table.name}: column '{column.name}' has one class, '{only}', in all {table.rows:,} rows; a classification needs "
            f"two. Name another column with --label, or adapt a decoder to the texts with --type causal-lm"
        )
    return column


def _likeness(column: FileColumn) -> tuple[bool, bool, int]:
    """Its name first; then more than one class; then fewer of them."""
    return is_named(column, LABEL_NAMES), len(column.counts) > 1, -len(column.counts)


def classification_roles(table: FileTable, given: Wishes, column: FileColumn) -> Roles:
    """Its fields, labels and words."""
    why = "as you said" if given.label else "by its name" if is_named(column, LABEL_NAMES) else "few values, each of many rows"
    column, values, meaning = _label_meanings(table, given, column)
    labels = list(dict.fromkeys(values[said] for said in _in_order(column)))
    spelled = {spelling: values[said] for spelling, said in column.spellings.items() if said in values}
    texts, text_why = texts_of(table, given, [column.name])
    shares = sorted((count / column.counts.total() for count in column.counts.values()), reverse=True)
    metrics = ["f1_macro", "accuracy"] if shares[0] > IMBALANCED else ["accuracy", "f1_macro"]
    score = f"{shares[0]:.0%} of the rows are of one class, so that accuracy says little" if shares[0] > IMBALANCED else "usual"
    return Roles(
        type="classification",
        columns={**fields_of(texts), "label": column.name},
        prompt=prompt_of(texts, heading(column.name, "Label")),
        metrics=metrics,
        labels=labels,
        answers=in_words(labels),
        values={} if all(said == meant for said, meant in spelled.items()) else spelled,
        guesses=[
            Guess("type", "classification", f"'{column.name}' holds {len(labels)} classes", "--type"),
            Guess("text", ", ".join(texts), text_why, "--text"),
            Guess("label", column.name, why, "--label"),
            Guess("labels", ", ".join(labels[:8]) + (", ..." if len(labels) > 8 else ""), meaning, "--labels"),
            Guess("score", metrics[0], score),
        ],
    )


def _in_order(column: FileColumn) -> list[str]:
    """Values by number where they are numbers, else by name."""
    return sorted(column.counts, key=lambda text: (float(text.replace(",", ".")) if column.numbers else 0.0, text))


def _label_meanings(table: FileTable, given: Wishes, column: FileColumn) -> tuple[FileColumn, Mapping[str, str], str]:
    """The column whose values are the labels, what each of them means, and where that stands."""
    own = {said: said for said in column.counts}
    if given.labels:
        if missing := set(own) - set(given.labels):
            raise UserError(f"{table.name}: --labels says nothing of '{min(missing)}', which column '{column.name}' holds")
        return column, {said: given.labels[said] for said in own}, "as you said"
    if not column.numbers:
        return column, own, "as they stand in the file"
    if spelled := next((other for other in table.columns.values() if _spells(other, column)), None):
        return spelled, {said: said for said in spelled.counts}, f"'{spelled.name}' spells out the numbers of '{column.name}'"
    if legend := _names_in_a_file_beside(table, column):
        return column, legend[0], f"the numbers' names are the lines of {legend[1]}"
    return column, own, "numbers; if they have names, say --labels 0=bad,1=good"


def _spells(other: FileColumn, column: FileColumn) -> bool:
    """Whether each number has one name of its own in the other column."""
    return other is not column and not (other.lists or other.numbers) and other.renames(column)


def _names_in_a_file_beside(table: FileTable, column: FileColumn) -> tuple[dict[str, str], str] | None:
    """A file of names beside, a line for each number from 0 or from 1 on."""
    place = Path(table.name)
    numbers = {said: f"{float(said.replace(',', '.')):g}" for said in _in_order(column)}  # 1.0 is the number 1
    for name in ("classes.txt", "labels.txt"):
        path = (place if place.is_dir() else place.parent) / name
        if not path.is_file():
            continue
        names = [line.strip() for line in path.read_text(encoding="utf-8", errors="replace").splitlines() if line.strip()]
        for first in (0, 1):
            by_number = {str(number): name for number, name in enumerate(names, start=first)}
            if set(numbers.values()) <= set(by_number) and (first == 1 or "0" in numbers.values()):
                return {said: by_number[number] for said, number in numbers.items()}, str(path)
    return None
