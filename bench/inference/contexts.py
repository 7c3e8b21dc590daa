"""What a decoder reads before it answers, and the right answer behind it."""

from typing import NamedTuple

from bench.inference.evalset import EvalSet
from bench.tasks.examples import Example
from bench.tasks.few_shot import solved
from bench.tokens.encoded import Encoded


class Context(NamedTuple):
    """What a decoder reads before it answers."""

    ids: tuple[int, ...]
    cut: bool
    """Whether it lost its middle."""
    answerable: bool | None


def contexts(evalset: EvalSet) -> list[Context]:
    """Each example's prompt as a decoder reads it, cut so that the longest answer has room."""
    encoding, task = evalset.model_encoding, evalset.task
    # Solved examples have room of their own, so that a question loses no more words for them (`Encoding.fitted`).
    before, room = _shots_and_tokens(evalset)
    words, split = evalset.wording, evalset.instructions

    def context(index: int, example: Example) -> Context:
        text, special = encoding.prompt(task, example, words, split, evalset.place(index), before)
        ids, answer = encoding.ids(text, special), encoding.longest_answer(task, example, words)
        lost = encoding.lost(len(ids), answer, room)
        answerable = task.answerable(example, text, encoding.lost_text(text, lost, special))
        return Context(encoding.fitted(ids, answer, room), bool(lost), answerable)

    return [context(index, example) for index, example in enumerate(evalset.examples)]


def _shots_and_tokens(evalset: EvalSet) -> tuple[str, int]:
    """The solved examples that stand before each question, as text, and their tokens."""
    before = solved(evalset.task, evalset.shots)
    return before, len(evalset.model_encoding.ids(before)) if before else 0


def references(evalset: EvalSet) -> list[Encoded | None]:
    """Each example with its first reference behind what is read. In a chat of which every answer is learned, the earlier ones
    carry loss too; None where it isn't known where they stand."""
    encoding, task, words, split = evalset.model_encoding, evalset.task, evalset.wording, evalset.instructions
    before, room = _shots_and_tokens(evalset)

    def reference(index: int, example: Example) -> Encoded | None:
        # Without the ends of turns, which an answer of plain words has none of: rows asked otherwise lose the same words.
        lead = encoding.lead(task, example, words, split, evalset.place(index), before, ends_learned=False)
        if lead is None:
            return None
        lead = lead.without(encoding.lost(len(lead.ids), task.answer_tokens, room))  # as `contexts` cuts it
        answer = encoding.answer(task.answer(example), words)
        # It may be longer than what may be written: it is read as far as the model has positions.
        return lead.answered(answer[: encoding.positions and encoding.positions - len(lead.ids)])

    return [reference(index, example) for index, example in enumerate(evalset.examples)]
