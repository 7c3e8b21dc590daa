"""Questions with choices of their own: the likeliest choice after the question, or the highest score of a head that reads each.

A decoder scores a choice by its log-likelihood, summed or per character or byte (lm-evaluation-harness' `acc` and `acc_norm`).
An encoder reads question and choice as a pair (transformers' multiple-choice head), and is trained on the gold one.
Rows hold `gold`, a choice's number from 0 or its letter from A, and a list `choices`; or the option `choices` words each from
columns. Templates may name {choices}, which stand there a line each behind their letters.
"""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from string import ascii_uppercase
from typing import Any, Literal

from pydantic import Field, field_validator
from torch import Tensor
from transformers import AutoModelForMultipleChoice

from bench.specs.template import fields_in
from bench.tasks.examples import Example
from bench.tasks.types.base import Answerer, TaskOptions, TaskType
from bench.tasks.words import letters_of
from bench.tokens.augmentation import Dropper
from bench.tokens.encoded import Encoded
from bench.tokens.windows import whole


class ChoiceOptions(TaskOptions):
    choices: list[str] = Field(default=[], max_length=len(ascii_uppercase))
    """Each choice as a template over the source's columns, where no column holds the list."""
    normalised: Literal["characters", "bytes"] | None = None
    """What a choice's log-likelihood is divided by: its length without the space before it."""

    @field_validator("choices")
    @classmethod
    def _can_be_filled(cls, value: list[str]) -> list[str]:
        for text in value:
            fields_in(text)
        return value


class ChoiceTask(TaskType):
    Options = ChoiceOptions
    options: ChoiceOptions
    asks = "rank"
    values = (str, str)
    auto_class = AutoModelForMultipleChoice
    made = frozenset({"choices"})

    @property
    def gold(self) -> frozenset[str]:  # type: ignore[override]  # which columns hold the choices, the options say
        made = {name for text in self.options.choices for name in fields_in(text)}
        return frozenset({"gold"} | (made if self.options.choices else {"choices"}))

    def fault(self) -> str | None:
        if self.spec.labels or self.spec.answers:
            return "fields 'labels' and 'answers': each item of a multiple-choice task has its own choices; leave them out"
        if len(self.options.choices) == 1:
            return "options, choices: at least two are needed"
        return None

    def named(self) -> set[str]:
        return {*super().named(), "choices"}

    def compared(self, example: Example) -> dict[str, str]:
        """With the choices in an order of their own: a question whose choices were shuffled is the same one."""
        # By their letters, so that neither case nor punctuation makes another order.
        return {**super().compared(example), "choices": "\n".join(sorted(self.candidates(example).values(), key=letters_of))}

    def read(self, row: Mapping[str, Any]) -> tuple[dict[str, str], str]:
        given = row["choices"] if not self.options.choices else [text.format(**row) for text in self.options.choices]
        texts = [" ".join(str(text).split()) for text in given] if isinstance(given, list | tuple) else []
        if not 2 <= len(texts) <= len(ascii_uppercase) or not all(texts):
            raise ValueError("field 'choices' must be a list of 2 to 26, none of them empty")
        gold = str(row["gold"]).strip()
        place = int(gold) if gold.isdecimal() else ascii_uppercase.find(gold.upper()) if len(gold) == 1 else -1
        if not 0 <= place < len(texts):
            last = len(texts) - 1
            raise ValueError(
                f"field 'gold' must be a choice's number from 0 to {last} or its letter from A to {ascii_uppercase[last]}, "
                f"not '{gold}'"
            )
        lines = (f"{letter}. {text}" for letter, text in zip(ascii_uppercase, texts, strict=False))
        return {**self.fields(row), "choices": "\n".join(lines)}, ascii_uppercase[place]

    def label(self, example: Example) -> str:
        return str(example.gold)

    def constant(self, train: Sequence[Example]) -> Answerer:
        """The letter that is most often right."""
        most = Counter(str(example.gold) for example in train).most_common(1)[0][0]
        return lambda example: most if most in self.candidates(example) else "A"

    def references(self, train: Sequence[Example]) -> dict[str, Answerer]:
        def longest(example: Example) -> str:
            choices = self.candidates(example)
            return max(choices, key=lambda letter: len(choices[letter]))

        return {"longest choice": longest}  # who writes exams words the right choice with more care

    def thinned(self, example: Example, kept: Dropper) -> Example:
        """Words are left out of the question; the choices stay."""
        shorter = super().thinned(example, kept)
        return replace(shorter, fields={**shorter.fields, "choices": example.fields["choices"]})

    def candidates(self, example: Example) -> dict[str, str]:
        # As `read` has written them: `A. words`.
        return {line[0]: line[3:] for line in example.fields["choices"].split("\n")}

    def length(self, words: str) -> int:
        how = self.options.normalised
        return 1 if how is None else len(words if how == "characters" else words.encode())

    def answer(self, example: Example) -> str:
        return self.candidates(example)[str(example.gold)]

    def parse(self, example: Example, text: str) -> str | None:
        """The choice whose letter and words the text begins with, or whose words, the longest of several; else the one whose
        letter stands first."""
        reply, choices = text.strip(), self.candidates(example)
        answer = reply.lstrip("\"'*(")
        # A choice's words may be another's letter: `C. bc` is no B.
        for letter, words in choices.items():
            if re.match(rf"{letter}[.):*]+\s*{re.escape(words)}(?!\w)", answer, re.IGNORECASE):
                return letter
        # With each number of leading signs: a choice may itself begin with a bracket or a quotation mark.
        forms = [reply[signs:] for signs in range(len(reply) - len(answer) + 1)]
        fitting = [
            letter
            for letter, words in choices.items()
            if any(re.match(rf"{re.escape(words)}(?!\w)", form, re.IGNORECASE) for form in forms)
        ]
        if fitting:
            return max(fitting, key=lambda letter: len(choices[letter]))
        match = re.match(r"([A-Za-z])(?:[.):*]|\s*$)", answer)
        letter = match[1].upper() if match else ""
        return letter if letter in choices else None

    def outputs(self) -> int:
        return 1

    def encode(self, tokenizer: Any, limit: int, example: Example, texts: Sequence[str]) -> list[Encoded]:
        """One input of as many sequences as there are choices."""
        choices = self.candidates(example)
        read = [whole(tokenizer, limit, [" ".join(texts), words]) for words in choices.values()]
        ids, types = (tuple(one for each in part for one in each) for part in ([r.ids for r in read], [r.types for r in read]))
        place, lengths = list(choices).index(str(example.gold)), tuple(len(each.ids) for each in read)
        lost = any(each.truncated for each in read)
        return [Encoded(ids, labels=(place,), types=types, lengths=lengths, truncated=lost)]

    def judge(self, example: Example, windows: Sequence[Encoded], logits: Sequence[Tensor]) -> tuple[str, float]:
        choices = list(self.candidates(example))
        shares = logits[0][0][: len(choices)].softmax(-1)
        return choices[int(shares.argmax())], float(shares.max())
