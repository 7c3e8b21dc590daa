"""A file of questions: a context, a question, and answers that stand in the context."""

import re

from bench.drafting.roles import Roles, columns_text, is_named
from bench.drafting.table import FileColumn, FileTable
from bench.drafting.wishes import Guess, Wishes
from bench.errors import UserError
from bench.tasks.types.qa import answer_places

CONTEXT_NAMES = re.compile(r"context|passage|paragraph|background|document|story|article")
QUESTION_NAMES = re.compile(r"question|query")
ANSWER_NAMES = re.compile(r"answers?(\.text)?|answer_text|answers_text|answers?\.texts?")
START_NAMES = re.compile(r"answer_starts?|answers?\.(answer_)?start|starts?")
MOSTLY = 0.5
"""Share of the answers that must stand in their contexts."""


def question_columns(table: FileTable, given: Wishes) -> tuple[FileColumn, FileColumn, FileColumn] | None:
    """Context, question and answers; None where one is missing."""
    context, question, answers = (
        next((c for c in table.columns.values() if is_named(c, kind)), None)
        for kind in (CONTEXT_NAMES, QUESTION_NAMES, ANSWER_NAMES)
    )
    # Two named texts make no questions of a file whose columns are not called so.
    if given.type != "qa" and (context is None or question is None):
        return None
    if given.text:
        if len(given.text) != 2:
            return None
        context, question = (table.column(name, "text") for name in given.text)
    if given.label:
        answers = table.column(given.label, "label")
    if context is None or question is None or answers is None:
        return None
    return (context, question, answers) if _share_in_context(context, answers) >= MOSTLY or given.type == "qa" else None


def qa_roles(table: FileTable, given: Wishes, file_columns: tuple[FileColumn, FileColumn, FileColumn] | None) -> Roles:
    """The task's fields and options.

    Raises:
        UserError: a column is missing.
    """
    if file_columns is None:
        raise UserError(
            f"{table.name}: an extractive question needs a context, a question and answers that stand in the context; name "
            f"them with --type qa --text CONTEXT,QUESTION --label ANSWERS. {columns_text(table)}"
        )
    context, question, answers = file_columns
    columns = {"context": context.name, "question": question.name, "answers": answers.name}
    guessed = []
    if starts := next((c for c in table.columns.values() if is_named(c, START_NAMES)), None):
        fits = _begin_there(context, answers, starts)
        why = "answers begin at these characters" if fits else "answers do not begin at these characters; they are searched for"
        guessed = [Guess("starts", starts.name if fits else f"not {starts.name}", why)]
        columns |= {"starts": starts.name} if fits else {}
    none = sum(not any(_cell_answers(value)) for value in answers.values)
    outside = _share_in_context(context, answers) < 1
    options = {**({"no_answer": "unanswerable"} if none else {}), **({"outside": "drop"} if outside else {})}
    without = f"{none:,} of {table.rows:,} have none" if none else "every question has one"
    return Roles(
        type="qa",
        columns=columns,
        prompt="Context: {context}\nQuestion: {question}\nAnswer:",
        metrics=["squad_f1", "squad_em"],
        options=options,
        guesses=[
            Guess("type", "qa", "there are a context, a question and answers in the context", "--type"),
            Guess("text", f"{context.name}, {question.name}", "as you said" if given.text else "by their names", "--text"),
            Guess(
                "answers", answers.name, without + ("; those outside their context are left out" if outside else ""), "--label"
            ),
            *guessed,
        ],
    )


def _begin_there(context: FileColumn, answers: FileColumn, starts: FileColumn) -> bool:
    """Whether each answer that stands in its context begins where the column says, as far as it says so."""
    columns = zip(context.values, answers.values, starts.values, strict=True)
    rows = ({"context": text, "answers": said, "starts": at} for text, said, at in columns)
    try:
        # All of them, since any that does not fit would stop the task's reading.
        places = [answer_places(row, str(row["context"]).strip()) for row in rows]
    except ValueError:
        return False
    return any(places)


def _cell_answers(value: object) -> list[str]:
    return [str(part).strip() for part in value] if isinstance(value, list) else [str(value).strip()]


def _share_in_context(context: FileColumn, answers: FileColumn) -> float:
    """Share of the answered questions with an answer in their context."""
    pairs = [
        (str(text), wanted)
        for text, value in zip(context.values, answers.values, strict=True)
        if (wanted := [part for part in _cell_answers(value) if part])
    ]
    return sum(any(part in text for part in wanted) for text, wanted in pairs) / len(pairs) if pairs else 0.0
