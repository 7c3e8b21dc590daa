"""A task's examples as token ids for one model: prompt and answer for a decoder, windows with labels for an encoder."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Literal

from bench.errors import UserError
from bench.modeling.models import Model
from bench.specs.wording import Wording
from bench.tasks import prompts
from bench.tasks.examples import Example
from bench.tasks.types import TaskType
from bench.tokens import windows
from bench.tokens.before_answer import Lead
from bench.tokens.encoded import IGNORE, Encoded

InstructionSplit = Literal["train", "test"]
"""Whose instructions are used."""


def instructions_of(split: str) -> InstructionSplit:
    """Whose instructions a split is asked in: the unseen ones are kept for what is published, as the test's examples are."""
    return "train" if split in ("train", "validation") else "test"


ANCHOR = "a"
"""A letter that stands for what an answer follows: no tokenizer joins it to the space behind it."""


class Encoding:
    """Turns examples into ids for one model."""

    def __init__(self, model: Model, max_length: int) -> None:
        self.model = model
        self.positions = model.positions
        self.max_length = model.longest(max_length)
        self._known: dict[str, tuple[int, ...]] = {}
        self._ranked: dict[tuple[tuple[str, ...], bool, bool], list[tuple[int, ...]]] = {}

    def ids(self, text: str, special: bool = True) -> list[int]:
        return list(self.model.tokenizer(text, add_special_tokens=special)["input_ids"])

    def fitted(self, ids: Sequence[int], answer: int = 0, solved: int = 0) -> tuple[int, ...]:
        """Ids that leave room for `answer` tokens; what is too long loses its middle, since prompts put meaning at both ends.

        `solved` tokens of few-shot examples come on top of the limit, which is meant for one example; the model's positions
        bound them all.
        """
        lost = self.lost(len(ids), answer, solved)
        return (*ids[: lost.start], *ids[lost.stop :])

    def lost(self, length: int, answer: int = 0, solved: int = 0) -> range:
        """The places of so many ids that `fitted` leaves out; the empty range(0) where all of them fit."""
        limit = self.max_length - answer + solved
        if self.positions:
            limit = min(limit, self.positions - answer)
        # One token at either end, as the cut below keeps both.
        if self.positions and self.positions - answer < 2:
            raise UserError(
                f"model '{self.model.name}' reads {self.positions:,} tokens, and an answer of {answer:,} leaves no room for a "
                f"context; shorten the answer (where a task writes, by its option answer_tokens), or take a model with more"
            )
        if limit < 2:
            raise UserError(
                f"max_length {self.max_length} leaves no room for a context; raise it in the suite, or by --max-length of "
                f"`tunebench init`"
            )
        return range(limit - limit // 2, length - limit // 2) if length > limit else range(0)

    def lost_text(self, text: str, lost: range, special: bool = True) -> range:
        """The characters of a text whose ids at the places `lost` are left out."""
        if not lost:
            return range(0)
        places = self.model.tokenizer(text, add_special_tokens=special, return_offsets_mapping=True)["offset_mapping"]
        return range(places[lost.start][0], places[lost.stop - 1][1])

    def training(self, task: TaskType, example: Example, wording: Wording, index: int, head: int = 0) -> list[Encoded]:
        """What one training example is to the model: one sequence for a decoder, one or more windows for an encoder.

        `index` chooses among the paraphrases of the instruction; `head` is the encoder's head for the task.

        Raises:
            UserError: a chat's answers are all to be learned, and it isn't known where they stand.
        """
        if self.model.family == "encoder":
            return self.windows(task, example, wording, "train", index, head)
        # Before any wording: a corpus is the same text under each style.
        if task.asks == "read":
            return [self.text(example.fields["text"])]
        answer = self._learned_answer(task, example, wording)
        lead = self.lead(task, example, wording, "train", index)
        if lead is None:
            raise UserError(
                f"task '{task.spec.name}': the prompt of a later turn does not begin with the turns before it, as the chat "
                f"template of {self.model.name} or the task's own rewrites them; set loss_on: last answer in its options"
            )
        # Cut as it is when it is asked: by the room that any answer may take, so that the cut tells nothing of the right one. A
        # reference that is longer than what may be written takes the room that it needs.
        lost = self.lost(len(lead.ids), max(self.longest_answer(task, example, wording), len(answer)))
        return [lead.without(lost).answered(answer)]

    def _learned_answer(self, task: TaskType, example: Example, wording: Wording) -> tuple[int, ...]:
        if task.asks == "rank":
            return self.candidates(task, example, wording)[str(example.gold)]
        # What is written must also learn to stop.
        return (*self.answer(task.answer(example), wording), *self._end)

    @property
    def _end(self) -> tuple[int, ...]:
        """The token that ends a text; none where the tokenizer has none."""
        end = self.model.tokenizer.eos_token_id
        return () if end is None else (end,)

    def candidates(self, task: TaskType, example: Example, wording: Wording) -> dict[str, tuple[int, ...]]:
        """The possible predictions and the ids that stand for them, where a decoder ranks.

        Where one answer begins another (1 and 10) and sums are compared, each has the end token behind it, in training too: the
        longer one is never likelier than its own beginning, and would never win.
        """
        words = task.candidates(example)
        key = (tuple(words.values()), self.chats(wording), all(task.length(text) == 1 for text in words.values()))
        if (known := self._ranked.get(key)) is None:  # those of labels are asked for again and again
            known = self._ranked[key] = self._ranked_ids(key[0], wording, sums=key[2])
        return dict(zip(words, known, strict=True))

    def _ranked_ids(self, texts: Sequence[str], wording: Wording, sums: bool) -> list[tuple[int, ...]]:
        known = [tuple(self.answer(text, wording)) for text in texts]
        # In order, what begins any other begins the one behind it.
        begun = any(ids != longer and longer[: len(ids)] == ids for ids, longer in pairwise(sorted(known)))
        return [(*ids, *self._end) for ids in known] if begun and sums else known

    def longest_answer(self, task: TaskType, example: Example, wording: Wording) -> int:
        """In tokens: of the candidates, where they are ranked, or of what may be written."""
        if task.asks == "rank":
            return max(map(len, self.candidates(task, example, wording).values()))
        return task.answer_tokens

    def lead(
        self,
        task: TaskType,
        example: Example,
        wording: Wording,
        split: InstructionSplit,
        index: int,
        before: str = "",
        ends_learned: bool = True,
    ) -> Lead | None:
        """Everything that stands before an example's answer, behind `before`; None where a prompt of a turn does not go on from
        the one before, so that it isn't known where answers stand.

        A chat template ends each turn by a token, which is learned in training; the loss of answers is that of their words.
        """
        ids, learned, so_far = list[int](), list[bool](), ""
        for turn in (*task.earlier(example), example):
            text, special = self.prompt(task, turn, wording, split, index, before)
            if not text.startswith(so_far):
                return None
            between = self.ids(text[len(so_far) :], special and not so_far)
            answer_ids = [] if turn is example else self.answer(task.answer(turn), wording)
            ends = ends_learned and bool(so_far) and between[:1] == [self.model.tokenizer.eos_token_id]
            ids += [*between, *answer_ids]
            learned += [ends and place == 0 for place in range(len(between))] + [True] * len(answer_ids)
            so_far = f"{text}{'' if self.chats(wording) else ' '}{task.answer(turn)}"
        return Lead(tuple(ids), tuple(learned))

    def context(self, task: TaskType, example: Example, wording: Wording, split: InstructionSplit, index: int) -> list[int]:
        """Ids of everything that stands before a decoder's answer, solved examples left out."""
        return self.ids(*self.prompt(task, example, wording, split, index))

    def prompt(
        self, task: TaskType, example: Example, wording: Wording, split: InstructionSplit, index: int, before: str = ""
    ) -> tuple[str, bool]:
        """What stands before a decoder's answer, behind `before`, and whether the tokenizer adds its special tokens."""
        if wording.style == "plain":
            return before + prompts.plain(task.spec, example), True
        tokenizer = self.model.tokenizer
        # A chat template writes the special tokens itself; the tokenizer's own would double them.
        text = prompts.chat(tokenizer, prompts.instruction(task.spec, example, split, index), task.before(example))
        return text, not tokenizer.chat_template

    def answer(self, text: str, wording: Wording) -> list[int]:
        """Ids of an answer: after a chat turn it starts the line, else a space stands before it."""
        # The space belongs to the answer: with BPE, " positive" is another token than "positive". And it stands behind other
        # text: some tokenizers put a space of their own before whatever they are given, and would give two.
        before, said = ("\n", text) if self.chats(wording) else (ANCHOR, f" {text}")
        lead, whole = self._plain_ids(before), self._plain_ids(before + said)
        return list(whole[len(lead) :] if whole[: len(lead)] == lead else self._plain_ids(said))

    def _plain_ids(self, text: str) -> tuple[int, ...]:
        """Of a text that is asked for again and again, as the names of classes are."""
        if (known := self._known.get(text)) is None:
            known = self._known[text] = tuple(self.ids(text, special=False))
        return known

    def chats(self, wording: Wording) -> bool:
        return wording.style == "instruction" and bool(self.model.tokenizer.chat_template)

    def windows(
        self, task: TaskType, example: Example, wording: Wording, split: InstructionSplit, index: int, head: int = 0
    ) -> list[Encoded]:
        """An encoder's inputs with their labels."""
        texts = prompts.inputs(task.spec, example, without=task.long)
        if wording.style == "instruction":
            texts = [prompts.instruction(task.spec, example, split, index, without=task.long)]
        inputs = task.encode(self.model.tokenizer, self.max_length, example, texts)
        return [replace(window, head=head) for window in inputs]

    def whole(self, texts: Sequence[str]) -> Encoded:
        """A text or a pair of texts to be embedded: nothing in it is predicted, and its end is cut where it is too long."""
        return replace(windows.whole(self.model.tokenizer, self.max_length, texts), labels=(IGNORE,))

    def passage(self, text: str) -> tuple[int, ...]:
        """All ids of general text, however many.

        Raises:
            UserError: there is nothing to predict.
        """
        ids = self.ids(text)
        if len(ids) < 2:
            raise UserError(f"the text '{text}' has fewer than two tokens: there is nothing to predict; drop it in the source")
        return tuple(ids)

    def text(self, text: str) -> Encoded:
        """General text that a decoder is trained on: loss on every token but the first; what is too long loses its end.

        Raises:
            UserError: there is nothing to predict.
        """
        ids = self.passage(text)[: self.max_length]
        return Encoded(ids, answer=len(ids) - 1)

    def rehearsed(self, text: str, weight: float | None = None) -> Encoded:
        """General text each of whose tokens has this weight; by default they weigh 1 together, like an answer of one token."""
        encoded = self.text(text)
        return replace(encoded, weight=1 / encoded.answer if weight is None else weight)
