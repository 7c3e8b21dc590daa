"""A model's predictions on a task's examples: ranked or written by a decoder, read off an encoder's head or its embeddings."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import torch
from torch import nn

from bench.inference.backend import Backend, Likelihood, Prompt
from bench.inference.passages import passage_losses
from bench.records.store import KEPT_TEXT, cut
from bench.specs.base import Capability
from bench.specs.wording import Wording
from bench.tasks.encoding import Encoding, InstructionSplit, instructions_of
from bench.tasks.examples import Example
from bench.tasks.few_shot import pick_shots, solved
from bench.tasks.prompts import inputs, instruction
from bench.tasks.sampling import sample
from bench.tasks.splits import TrainingData
from bench.tasks.types import TaskType


@dataclass(frozen=True)
class EvalSet:
    """Examples that are put to a model: which ones, and in which words."""

    task: TaskType
    data: TrainingData
    encoding: Encoding | None
    """Into the model's ids; None where the model takes words."""
    wording: Wording
    seed: int
    """Chooses the solved examples of few-shot prompts."""
    items: int | None = None
    """A sample of so many; None: all."""
    head: int | None = None
    """An encoder's head for the task; without one it answers by similarity."""
    split: str = "test"
    """`validation`, `test`, or one of the task's sets from another domain."""
    paraphrase: int | None = None
    """One of the instructions for all examples; without it they take turns."""

    @cached_property
    def examples(self) -> list[Example]:
        """The split's, or a sample of them that is the same for whoever asks: with its labels' shares, spread over clusters."""
        everything = self.data.split(self.split)
        labels, clusters = [self.task.label(e) for e in everything], [e.cluster for e in everything]
        return sample(everything, self.items, labels, clusters)

    @cached_property
    def candidates(self) -> list[dict[str, tuple[int, ...]]]:
        """Of each example, the possible predictions and the ids that stand for them, where a decoder ranks."""
        known = cache(lambda words: tuple(self.model_encoding.answer(words, self.wording)))  # labels are those of all examples
        return [{value: known(words) for value, words in self.task.candidates(example).items()} for example in self.examples]

    @property
    def shots(self) -> list[Example]:
        """The solved examples that stand before each question."""
        return pick_shots(self.task, self.data, self.wording.shots, self.seed)

    @property
    def instructions(self) -> InstructionSplit:
        """Whose instructions are used."""
        return instructions_of(self.split)

    def place(self, index: int) -> int:
        """Which paraphrase the example gets."""
        return index if self.paraphrase is None else self.paraphrase

    @property
    def model_encoding(self) -> Encoding:
        """The encoding, for those ways that read ids."""
        assert self.encoding is not None, "a model that takes words was asked in ids"
        return self.encoding


@dataclass(frozen=True)
class ItemPrediction:
    """`value` is None where the answer was malformed."""

    value: Any
    confidence: float | None
    """None where the model does not tell."""
    written: bool = False
    """Whether it was text, which can be malformed."""
    tokens: tuple[int, int] | None = None
    """Read and written, where an API counted them."""
    answerable: bool | None = None
    """Whether the right answer was in what the model read; None where it is looked up in no text, or nothing can be cut."""
    reference_loss: float | None = None
    """Nats per token of the first reference, where text is written and the model gives likelihoods."""


class Context(NamedTuple):
    """What a decoder reads before it answers."""

    ids: tuple[int, ...]
    cut: bool
    """Whether it lost its middle."""
    answerable: bool | None


Way = Callable[[Backend, EvalSet], list[ItemPrediction]]


def predict(backend: Backend, evalset: EvalSet) -> pd.DataFrame:
    """One row per example: `item`, `text`, `cluster` (None where there is none), `gold`, `prediction`, `confidence` (the
    prediction's probability as the model gives it), and where an answer can be so, `malformed` and `answerable` (1, or 0 where
    the right answer was cut out of what was read)."""
    return frame(evalset, _way(backend.can, evalset)(backend, evalset))


def frame(evalset: EvalSet, predictions: Sequence[ItemPrediction]) -> pd.DataFrame:
    """Predictions beside their examples, and what the task's type knows of each from training."""
    facts = evalset.task.facts(evalset.data.train)
    rows = [
        {
            "item": example.id,
            "text": _told(example),
            "cluster": example.cluster,
            "gold": example.gold if isinstance(example.gold, str) else list(example.gold),
            "prediction": evalset.task.wrong(example) if prediction.value is None else prediction.value,
            "confidence": prediction.confidence,
            **facts(example),
            **({"malformed": prediction.value is None} if prediction.written else {}),
            **({} if prediction.answerable is None else {"answerable": float(prediction.answerable)}),
            **({} if prediction.reference_loss is None else {"reference_loss": prediction.reference_loss}),
            **({"read": prediction.tokens[0], "written": prediction.tokens[1]} if prediction.tokens else {}),
        }
        for example, prediction in zip(evalset.examples, predictions, strict=True)
    ]
    return pd.DataFrame(rows)


def _told(example: Example) -> str:
    """What the example reads like, for people: its fields, the shortest first, so that a question stands before its text."""
    return cut("\n".join(sorted(filter(None, example.fields.values()), key=len)), KEPT_TEXT)


def unusual_way(can: frozenset[Capability], task: TaskType) -> str | None:
    """How a task is put to a model that cannot be asked in the task's own way; None where it can."""
    if task.asks == "rank" and not {"loglikelihoods", "head_logits"} & can:
        return "asked to write one of the answers, since the model gives no likelihoods of them"
    return None


def _way(can: frozenset[Capability], evalset: EvalSet) -> Way:
    if "head_logits" in can:
        return _without_head if evalset.head is None else _by_head
    if evalset.task.asks == "read":
        return _read
    return _ranked if evalset.task.asks == "rank" and "loglikelihoods" in can else _written


def contexts(evalset: EvalSet) -> list[Context]:
    """Each example's prompt as a decoder reads it, cut so that the longest answer has room."""
    encoding, task = evalset.model_encoding, evalset.task
    before = solved(task, evalset.shots)
    room = len(encoding.ids(before)) if before else 0
    words, split = evalset.wording, evalset.instructions

    def context(index: int, example: Example) -> Context:
        text, special = encoding.prompt(task, example, words, split, evalset.place(index), before)
        ids, answer = encoding.ids(text, special), _longest_answer(evalset, index)
        lost = encoding.lost(len(ids), answer, room)
        answerable = task.answerable(example, text, encoding.lost_text(text, lost, special))
        return Context(encoding.fitted(ids, answer, room), bool(lost), answerable)

    return [context(index, example) for index, example in enumerate(evalset.examples)]


def _longest_answer(evalset: EvalSet, index: int) -> int:
    """In tokens: of the candidates, where they are ranked, or of what may be written."""
    ranked = evalset.task.asks == "rank"
    return max(map(len, evalset.candidates[index].values())) if ranked else evalset.task.answer_tokens


def _conversations(evalset: EvalSet) -> list[Prompt]:
    """Each example's instruction as a user's turn, after solved examples as turns before it."""
    task, shots, split = evalset.task, evalset.shots, evalset.instructions

    def turns(index: int, example: Example) -> tuple[str, ...]:
        place = evalset.place(index)
        solved = [(*(task.before(e) or ()), instruction(task.spec, e, split, place), task.answer(e)) for e in shots]
        before = [turn for example_turns in solved for turn in example_turns]
        return (*before, *(task.before(example) or ()), instruction(task.spec, example, split, place))

    return [Prompt(turns=turns(index, example)) for index, example in enumerate(evalset.examples)]


def _ranked(backend: Backend, evalset: EvalSet) -> list[ItemPrediction]:
    """The candidate with the highest score: its log-likelihood after the prompt, divided by its length where the task says so.
    Its confidence is its softmax among all candidates' scores."""
    task, examples = evalset.task, evalset.examples
    asked = zip(contexts(evalset), evalset.candidates, strict=True)
    requests = [(context.ids, ids) for context, answers in asked for ids in answers.values()]
    likelihoods = iter(backend.loglikelihoods(requests))

    def likeliest(example: Example) -> ItemPrediction:
        scores = {value: next(likelihoods).total / task.length(words) for value, words in task.candidates(example).items()}
        best = max(scores, key=scores.__getitem__)
        return ItemPrediction(best, float(np.exp(scores[best] - np.logaddexp.reduce(list(scores.values())))))

    return [likeliest(example) for example in examples]


def _written(backend: Backend, evalset: EvalSet) -> list[ItemPrediction]:
    """What the model writes, taken apart by the task's type."""
    task, examples = evalset.task, evalset.examples
    read = contexts(evalset) if evalset.encoding else []
    prompts = _prompts(backend, evalset, read) if read else _conversations(evalset)
    texts = backend.generate(prompts, task.answer_tokens, one_line=evalset.wording.style == "plain", beams=task.beams)
    answerable = [context.answerable for context in read] or [None] * len(examples)
    return [
        ItemPrediction(task.parse(example, said.text), said.confidence, True, said.tokens, whole, _loss(said.reference))
        for example, said, whole in zip(examples, texts, answerable, strict=True)
    ]


def _prompts(backend: Backend, evalset: EvalSet, read: Sequence[Context]) -> list[Prompt]:
    """What is read, with the first reference where the type weighs its loss and the model gives likelihoods."""
    if not (evalset.task.weighs and "loglikelihoods" in backend.can):
        return [Prompt(context.ids) for context in read]
    encoding, references = evalset.model_encoding, [evalset.task.answer(example) for example in evalset.examples]
    answers = [tuple(encoding.answer(text, evalset.wording)) for text in references]
    # A reference may be longer than what may be written: it is read as far as the model has positions.
    ends = [None if encoding.positions is None else encoding.positions - len(context.ids) for context in read]
    return [Prompt(each.ids, reference=ids[:end]) for each, ids, end in zip(read, answers, ends, strict=True)]


def _loss(reference: Likelihood | None) -> float | None:
    """Nats per token."""
    return None if reference is None else -reference.total / reference.tokens


def _read(backend: Backend, evalset: EvalSet) -> list[ItemPrediction]:
    """Nats, tokens and bytes of each whole text; the probability of a token, their geometric mean."""
    losses = passage_losses(backend, evalset.model_encoding, [example.fields["text"] for example in evalset.examples])
    return [ItemPrediction([float(n) for n in loss], float(np.exp(-loss.nats / loss.tokens))) for loss in losses]


def _by_head(backend: Backend, evalset: EvalSet) -> list[ItemPrediction]:
    """What the task's type reads off the logits of its head, over all windows of each example."""
    encoding, task, head = evalset.model_encoding, evalset.task, evalset.head or 0
    examples, words, split = evalset.examples, evalset.wording, evalset.instructions
    windows = [encoding.windows(task, e, words, split, evalset.place(i), head) for i, e in enumerate(examples)]
    logits = iter(backend.head_logits([window for part in windows for window in part]))
    return [
        ItemPrediction(*task.judge(example, part, [next(logits) for _ in part]))
        for example, part in zip(examples, windows, strict=True)
    ]


def _without_head(backend: Backend, evalset: EvalSet) -> list[ItemPrediction]:
    """An encoder without a head tags nothing and marks nothing; classes are known by similarity."""
    answers = [evalset.task.untrained(example) for example in evalset.examples]
    if answers[0] is None:
        return _by_similarity(backend, evalset)
    return [ItemPrediction(answer, 1.0) for answer in answers]


def _by_similarity(backend: Backend, evalset: EvalSet) -> list[ItemPrediction]:
    """Cosine to each candidate: to its description, or to the mean of its solved examples."""
    spec, examples = evalset.task.spec, evalset.examples
    described = [evalset.task.described(example) for example in examples]

    def embedded(texts: Sequence[Sequence[str]]) -> torch.Tensor:
        """(texts, hidden)"""
        return backend.embeddings([evalset.model_encoding.whole(text) for text in texts])[:, -1]

    texts = embedded([inputs(spec, example) for example in examples])
    if shots := evalset.shots:
        known = embedded([inputs(spec, shot) for shot in shots])
        of_label = [[i for i, shot in enumerate(shots) if shot.gold == label] for label in spec.labels]
        means = torch.stack([known[rows].mean(0) if rows else torch.zeros_like(known[0]) for rows in of_label])
        held = [means] * len(examples)
    else:
        words = list(dict.fromkeys(text for each in described for text in each.values()))
        of_text = dict(zip(words, embedded([[text] for text in words]), strict=True))
        held = [torch.stack([of_text[text] for text in each.values()]) for each in described]
    cosines = [nn.functional.cosine_similarity(text[None], known, dim=-1) for text, known in zip(texts, held, strict=True)]
    return [
        ItemPrediction(list(each)[int(row.argmax())], float(row.softmax(-1).max()))
        for each, row in zip(described, cosines, strict=True)
    ]
