"""Extractive questions: the answer is a span of the context (Rajpurkar et al. 2016), or there is none (2018).

An encoder marks the span's ends in overlapping windows (Devlin et al. 2019); a decoder writes the answer.
Rows hold `context`, `question` and `answers` (a list, or one text); `starts`, the answers' first characters, are optional.
"""

import unicodedata
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import torch
from pydantic import Field
from torch import Tensor
from transformers import AutoModelForQuestionAnswering

from bench import metrics
from bench.tasks.examples import Example
from bench.tasks.types.base import Answerer, TaskOptions, TaskType, listed, same_words
from bench.tokens.augmentation import Dropper
from bench.tokens.encoded import Encoded
from bench.tokens.windows import over_text


class QaOptions(TaskOptions):
    no_answer: str | None = None
    """What a decoder says where there is no answer; None: every question has one, and an encoder must give it."""
    outside: Literal["error", "drop"] = "error"
    """What becomes of a question none of whose answers is in its context."""
    answer_tokens: int = Field(default=32, ge=1)
    """Longest answer: that a decoder writes, or an encoder marks."""


class Qa(TaskType):
    Options = QaOptions
    version = 2
    """Since 2 an answer under an instruction ends with its line where the model has no chat template."""
    options: QaOptions
    asks = "write"
    values = (str, list[str])
    gold = frozenset({"answers"})
    used = frozenset({"starts"})
    auto_class = AutoModelForQuestionAnswering
    long = "context"

    def fault(self) -> str | None:
        if missing := {"context", "question"} - self.spec.fields_named():
            return f"field 'prompt': an extractive question needs {{{min(missing)}}}"
        return None

    def read(self, row: Mapping[str, Any]) -> tuple[dict[str, str], tuple[str, ...]] | None:
        fields = self.fields(row)
        accepted = tuple(dict.fromkeys(text for answer in listed(row["answers"]) if (text := str(answer).strip())))
        if not accepted and self.options.no_answer is None:
            raise ValueError("field 'answers' is empty; give the option no_answer if some questions have none")
        if accepted and not any(answer in fields["context"] for answer in accepted):
            if self.options.outside == "drop":
                return None
            raise ValueError(
                f"field 'answers': '{accepted[0]}' is not in the context; correct it or set the option outside: drop"
            )
        places = answer_places(row, fields["context"])
        return {**fields, **({"start": str(places[accepted[0]])} if accepted and accepted[0] in places else {})}, accepted

    def uniform(self, examples: Sequence[Example]) -> str | None:
        return None if any(example.gold for example in examples) else "is without an answer"

    def thinned(self, example: Example, kept: Dropper) -> Example:
        """Words are left out of the question; the context keeps its spans."""
        words = example.fields["question"].split()
        return replace(example, fields={**example.fields, "question": " ".join(words[i] for i in kept(words))})

    def constant(self, train: Sequence[Example]) -> Answerer:
        """No answer where there may be none, else the most frequent one; the better of the two on training."""
        counts = Counter(self.answer(example) for example in train if example.gold)
        options = ["", *(text for text, _ in counts.most_common(1))]
        metric, golds = metrics.counted(self.spec.metrics[0]), [list(example.gold) for example in train]
        best = max(options, key=lambda text: metric.value([text] * len(golds), golds))
        return lambda example: best

    def answer(self, example: Example) -> str:
        # On one line: what is written ends with the line, and metrics don't tell white space apart.
        return " ".join(self._marked(example).split()) or self.options.no_answer or ""

    def _marked(self, example: Example) -> str:
        """The first accepted answer that stands in the context; empty where there is none."""
        return next((answer for answer in example.gold if answer in example.fields["context"]), "")

    @property
    def answer_tokens(self) -> int:
        return self.options.answer_tokens

    def parse(self, example: Example, text: str) -> str | None:
        """The first line; an empty one is malformed. `Unanswerable.` says no less than `unanswerable`."""
        reply = text.strip().split("\n")[0].strip()
        nothing = self.options.no_answer
        return "" if reply and nothing and same_words(reply, nothing) else reply or None

    def wrong(self, example: Example) -> str:
        return "\ue000"  # a letter for private use, which is in no text

    def answerable(self, example: Example, prompt: str, lost: range) -> bool | None:
        """By the letters of an accepted answer, anywhere in what is left of the context."""
        context = example.fields["context"]
        place = prompt.rfind(context)  # the last: solved examples come before it
        if place < 0 or not any(answer in context for answer in example.gold):
            return None
        left = context[: max(lost.start - place, 0)], context[max(lost.stop - place, 0) :]
        return any(answer in part for part in left for answer in example.gold)

    def outputs(self) -> int:
        return 2

    def encode(self, tokenizer: Any, limit: int, example: Example, texts: Sequence[str]) -> list[Encoded]:
        """All windows; one that does not hold the whole answer has its ends on the first token. Together they weigh as one."""
        windows = over_text(tokenizer, limit, " ".join(texts), example.fields["context"])
        span = self._span(example)
        # A window has two targets, its ends: halves of them over all windows sum to one.
        return [replace(w, labels=ends(w.places, span, example.fields["context"]), weight=0.5 / len(windows)) for w in windows]

    def _span(self, example: Example) -> tuple[int, int] | None:
        if not example.gold:
            return None
        answer = self._marked(example)
        start = int(example.fields.get("start", -1))
        if start < 0 or not example.fields["context"].startswith(answer, start):
            start = example.fields["context"].find(answer)
        return start, start + len(answer)

    def judge(self, example: Example, windows: Sequence[Encoded], logits: Sequence[Tensor]) -> tuple[str, float]:
        """The best span over all windows; none where the first tokens' score beats it and the task allows that."""
        best, share, text = -float("inf"), 0.0, ""
        # Of all windows the lowest: each that does not hold the answer rightly says none (as in transformers' utils_qa.py).
        least = min(logits, key=lambda scores: float(scores[:, 0].sum()))
        nothing = float(least[:, 0].sum())
        for window, scores in zip(windows, logits, strict=True):
            score, first, last = best_span(window, scores, self.options.answer_tokens)
            if score > best:
                context = example.fields["context"]
                begin, end = window.places[first][0], window.places[last][1]
                # A tokenizer that drops a letter's mark gives the letter alone.
                end += next((n for n, letter in enumerate(context[end:]) if not _may_lack_a_token(letter)), len(context) - end)
                best, text = score, context[begin:end]
                share = _probability(score, scores)
        if self.options.no_answer is not None and nothing > best:
            return "", _probability(nothing, least)
        return text, share

    def untrained(self, example: Example) -> str:
        return ""


def answer_places(row: Mapping[str, Any], context: str) -> dict[str, int]:
    """Where each answer that is in the context first stands there, as the row says; empty where it does not say.

    Raises:
        ValueError: the row says it of other answers than there are, or another text stands there.
    """
    given, answers = _starts(row), listed(row["answers"])
    if given and len(given) != len(answers):
        raise ValueError(f"field 'starts' has {len(given)} places for {len(answers)} answers")
    before = len(str(row["context"])) - len(str(row["context"]).lstrip())  # white space that the context does not keep
    places: dict[str, int] = {}
    for answer, start in zip(map(str, answers), given, strict=False):
        text = answer.strip()
        # The place is that of the answer as the file writes it, white space before it included, or of its first word.
        fitting = [
            at for skipped in (answer.find(text), 0) if context.startswith(text, at := start - before + skipped) and at >= 0
        ]
        if text in context and not fitting:
            raise ValueError(
                f"field 'starts': at character {start} of the context stands another text than '{text:.60}'; correct it, or "
                "leave the column out, and the answer is searched for"
            )
        if fitting:
            places.setdefault(text, fitting[0])
    return places


def _starts(row: Mapping[str, Any]) -> list[int]:
    try:
        return [int(start) for start in listed(row.get("starts", [])) if str(start).strip()]
    except (TypeError, ValueError):
        raise ValueError("field 'starts' must hold the numbers of the answers' first characters") from None


def _probability(score: float, scores: Tensor) -> float:
    """Of two ends whose logits sum to `score`."""
    return float((score - scores.logsumexp(-1).sum()).exp())


def _may_lack_a_token(letter: str) -> bool:
    """Whether some tokenizers have no token for it: marks of letters, and what has no shape, as in uncased BERTs."""
    return unicodedata.category(letter) in ("Mn", "Cf")


def ends(places: Sequence[tuple[int, int] | None], span: tuple[int, int] | None, text: str) -> tuple[int, int]:
    """First and last token of a span of characters of the text; the first token of all twice where the window doesn't hold it
    whole, but for characters of which there is no token."""
    inside = [i for i, place in enumerate(places) if place and span and place[0] < span[1] and place[1] > span[0]]
    if not inside or span is None:
        return 0, 0
    begin, end = places[inside[0]][0], places[inside[-1]][1]  # type: ignore[index]
    outside = text[span[0] : begin] + text[end : span[1]]
    return (inside[0], inside[-1]) if all(map(_may_lack_a_token, outside)) else (0, 0)


def best_span(window: Encoded, scores: Tensor, longest: int) -> tuple[float, int, int]:
    """Highest sum of start and end score (2, length) over spans of the context of at most `longest` tokens."""
    context = torch.tensor([place is not None for place in window.places])
    starts, stops = (scores[row, : len(context)].cpu().masked_fill(~context, -torch.inf) for row in (0, 1))
    sums = starts[:, None] + stops[None]
    # A span ends where it begins or later (triu), and is not longer than asked (tril).
    allowed = torch.ones_like(sums, dtype=torch.bool).triu().tril(longest - 1)
    sums = sums.masked_fill(~allowed, -torch.inf)
    first, last = divmod(int(sums.argmax()), len(context))
    return float(sums[first, last]), first, last
