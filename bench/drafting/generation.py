"""A file of texts that are answered by text, or of bare text: tasks of a decoder."""

from bench.drafting.roles import TARGET_NAMES, Roles, columns_text, fields_of, heading, is_named, is_text, prompt_of, texts_of
from bench.drafting.table import FileColumn, FileTable
from bench.drafting.wishes import Guess, Wishes
from bench.errors import UserError


def target_column(table: FileTable, given: Wishes) -> FileColumn | None:
    """The column of what is to be written; None where nothing looks like one."""
    if given.label:
        return table.column(given.label, "label")
    return next((c for c in table.columns.values() if is_named(c, TARGET_NAMES) and (c.lists or is_text(c))), None)


def generation_roles(table: FileTable, given: Wishes, column: FileColumn | None) -> Roles:
    """The task's fields.

    Raises:
        UserError: there is nothing to be written.
    """
    if column is None:
        raise UserError(f"{table.name}: a text to write needs a column of it; name it with --label. {columns_text(table)}")
    texts, why = texts_of(table, given, [column.name])
    return Roles(
        type="generation",
        columns={**fields_of(texts), "references": column.name},
        prompt=prompt_of(texts, heading(column.name, "Answer")),
        metrics=["chrf", "rougeL"],
        guesses=[
            Guess("type", "generation", f"'{column.name}' is text that answers text; it needs a decoder", "--type"),
            Guess("text", ", ".join(texts), why, "--text"),
            Guess("references", column.name, "as you said" if given.label else "by its name", "--label"),
        ],
    )


def corpus_roles(table: FileTable, given: Wishes) -> Roles:
    """Text alone.

    Raises:
        UserError: more was named than one column of text.
    """
    if given.label or len(given.text) > 1:
        what = f"--label {given.label} names an answer" if given.label else f"--text names {len(given.text)} columns"
        raise UserError(f"{table.name}: bare text (causal-lm) is one column without answers, and {what}; leave it out")
    (text, *rest), why = texts_of(table, given, [])
    why = f"{why}; {' and '.join(rest)} beside it is not read" if rest else why
    kind = "as you said" if given.type else f"no column looks like a label; it needs a decoder. {columns_text(table)}"
    return Roles(
        type="causal-lm",
        columns={"text": text},
        prompt="{text}",
        metrics=["perplexity", "bits_per_byte"],
        guesses=[
            Guess("type", "causal-lm", kind, "--type"),
            Guess("text", text, why, "--text"),
        ],
    )
