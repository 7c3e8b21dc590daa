"""A model's predictions on a task's examples: ranked or written by a decoder, read off an encoder's head or its embeddings."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import torch
from torch import nn

from bench.inference.backend import Backend, GeneratedText, Likelihood, Prompt
from bench.inference.contexts import Context, contexts, references
from bench.inference.evalset import EvalSet
from bench.inference.passages import passage_losses
from bench.records.store import KEPT_TEXT, cut
from bench.specs.base import Capability
from bench.tasks.examples import Example
from bench.tasks.prompts import inputs, instruction, plain
from bench.tasks.types import TaskType
from bench.tokens.encoded import Encoded


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
    truncated: bool | None = None
    """Whether the model read a part of the item alone; None where what it reads is not known, or is read in windows."""
    answerable: bool | None = None
    """Whether the right answer was in what the model read; None where it is looked up in no text, or nothing can be cut."""
    reference_loss: float | None = None
    """Nats per token of what is learned of the first reference, where text is written and the model gives likelihoods."""
    finished: bool = True
    """Whether what was written came to its end before the limit of tokens."""


Way = Callable[[Backend, EvalSet], list[ItemPrediction]]


def predict(backend: Backend, evalset: EvalSet) -> pd.DataFrame:
    """One row per example: `item`, `text`, `cluster` (None where there is none), `gold`, `prediction`, `confidence` (the
    prediction's probability as the model gives it), and where an item can be so, `malformed`, `unfinished` (its answer came to
    the limit of tokens), `truncated` (a part of it was cut out of what was read) and `answerable` (1, or 0 where the right
    answer was in that part)."""
    return frame(evalset, _way_to_predict(backend.can, evalset)(backend, evalset))


def frame(evalset: EvalSet, predictions: Sequence[ItemPrediction]) -> pd.DataFrame:
    """Predictions beside their examples, and what the task's type knows of each from training."""
    facts = evalset.task.facts(evalset.data.train)
    rows = [
        {
            "item": example.id,
            "text": _example_text(evalset.task, example),
            "cluster": example.cluster,
            "gold": example.gold if isinstance(example.gold, str) else list(example.gold),
            "prediction": evalset.task.wrong(example) if prediction.value is None else prediction.value,
            "confidence": prediction.confidence,
            **facts(example),
            **({"malformed": prediction.value is None, "unfinished": not prediction.finished} if prediction.written else {}),
            **({} if prediction.truncated is None else {"truncated": prediction.truncated}),
            **({} if prediction.answerable is None else {"answerable": float(prediction.answerable)}),
            **({} if prediction.reference_loss is None else {"reference_loss": prediction.reference_loss}),
            **({"read": prediction.tokens[0], "written": prediction.tokens[1]} if prediction.tokens else {}),
        }
        for example, prediction in zip(evalset.examples, predictions, strict=True)
    ]
    return pd.DataFrame(rows)


def _example_text(task: TaskType, example: Example) -> str:
    """What the example reads like, for people: the fields that are asked about, the shortest first, so that a question stands
    before its text. What text is written in answer to is told as it is asked, for whoever judges it reads the same."""
    if task.weighs:
        return cut(plain(task.spec, example), KEPT_TEXT)
    texts = (example.fields.get(name) for name in task.named())
    return cut("\n".join(sorted(filter(None, texts), key=len)), KEPT_TEXT)


def unusual_way(can: frozenset[Capability], task: TaskType) -> str | None:
    """How a task is put to a model that cannot be asked in the task's own way; None where it can."""
    if task.asks == "rank" and not {"loglikelihoods", "head_logits"} & can:
        return "asked to write one of the answers, since the model gives no likelihoods of them"
    return None


def _way_to_predict(can: frozenset[Capability], evalset: EvalSet) -> Way:
    if "head_logits" in can:
        return _predict_without_head if evalset.head is None else _predict_by_head
    if evalset.task.asks == "read":
        return _predict_by_reading
    return _predict_by_ranking if evalset.task.asks == "rank" and "loglikelihoods" in can else _predict_by_writing


def _conversations(evalset: EvalSet) -> list[Prompt]:
    """Each example's instruction as a user's turn, after solved examples as turns before it."""
    task, shots, split = evalset.task, evalset.shots, evalset.instructions

    def turns(index: int, example: Example) -> tuple[str, ...]:
        place = evalset.place(index)
        solved = [(*(task.before(e) or ()), instruction(task.spec, e, split, place), task.answer(e)) for e in shots]
        before = [turn for example_turns in solved for turn in example_turns]
        return (*before, *(task.before(example) or ()), instruction(task.spec, example, split, place))

    return [Prompt(turns=turns(index, example)) for index, example in enumerate(evalset.examples)]


def _predict_by_ranking(backend: Backend, evalset: EvalSet) -> list[ItemPrediction]:
    """The candidate with the highest score: its log-likelihood after the prompt, divided by its length where the task says so.
    Its confidence is its softmax among all candidates' scores."""
    task, examples = evalset.task, evalset.examples
    read = contexts(evalset)
    pairs = zip(read, evalset.candidates, strict=True)
    requests = [(context.ids, ids) for context, answers in pairs for ids in answers.values()]
    likelihoods = iter(backend.loglikelihoods(requests))

    def likeliest(example: Example, context: Context) -> ItemPrediction:
        scores = {value: next(likelihoods).total / task.length(words) for value, words in task.candidates(example).items()}
        best = max(scores, key=scores.__getitem__)
        share = float(np.exp(scores[best] - np.logaddexp.reduce(list(scores.values()))))
        return ItemPrediction(best, share, truncated=context.cut)

    return [likeliest(*each) for each in zip(examples, read, strict=True)]


def _predict_by_writing(backend: Backend, evalset: EvalSet) -> list[ItemPrediction]:
    """What the model writes, taken apart by the task's type."""
    task, examples = evalset.task, evalset.examples
    # An API takes words: it has no ids, and of its prompts nothing can be cut.
    read = contexts(evalset) if evalset.encoding else []
    weighs = read and task.weighs and "loglikelihoods" in backend.can
    judged = references(evalset) if weighs else [None] * len(examples)
    prompts = [_prompt_with_reference(*each) for each in zip(read, judged, strict=True)] if read else _conversations(evalset)
    # An answer after a chat template ends where the model says so; another is a line, as the lines before it are.
    chats = evalset.wording.style != "plain" if evalset.encoding is None else evalset.encoding.chats(evalset.wording)
    texts = backend.generate(prompts, task.answer_tokens, one_line=not chats, beams=task.beams)
    losses = [_loss_per_spoken_token(generated.reference, each) for generated, each in zip(texts, judged, strict=True)]

    def taken(example: Example, generated: GeneratedText, context: Context | None, loss: float | None) -> ItemPrediction:
        value, lost, whole = task.parse(example, generated.text), context and context.cut, context and context.answerable
        return ItemPrediction(value, generated.confidence, True, generated.tokens, lost, whole, loss, generated.finished)

    known: Sequence[Context | None] = read or [None] * len(examples)
    return [taken(*each) for each in zip(examples, texts, known, losses, strict=True)]


def _prompt_with_reference(context: Context, reference: Encoded | None) -> Prompt:
    return Prompt(context.ids, reference=None if reference is None else reference.continuation)


def _loss_per_spoken_token(likelihood: Likelihood | None, reference: Encoded | None) -> float | None:
    """Nats per token that carries loss."""
    if likelihood is None or reference is None:
        return None
    return -float(np.mean([likelihood.nats[place] for place in reference.spoken]))


def _predict_by_reading(backend: Backend, evalset: EvalSet) -> list[ItemPrediction]:
    """Nats, tokens and bytes of each whole text; the probability of a token, their geometric mean."""
    losses = passage_losses(backend, evalset.model_encoding, [example.fields["text"] for example in evalset.examples])
    return [ItemPrediction([float(n) for n in loss], float(np.exp(-loss.nats / loss.tokens))) for loss in losses]


def _predict_by_head(backend: Backend, evalset: EvalSet) -> list[ItemPrediction]:
    """What the task's type reads off the logits of its head, over all windows of each example."""
    encoding, task, head = evalset.model_encoding, evalset.task, evalset.head or 0
    examples, words, split = evalset.examples, evalset.wording, evalset.instructions
    windows = [encoding.windows(task, e, words, split, evalset.place(i), head) for i, e in enumerate(examples)]
    logits = iter(backend.head_logits([window for part in windows for window in part]))

    def judged(example: Example, part: Sequence[Encoded]) -> ItemPrediction:
        value, share = task.judge(example, part, [next(logits) for _ in part])
        return ItemPrediction(value, share, truncated=None if task.long else part[0].truncated)

    return [judged(*each) for each in zip(examples, windows, strict=True)]


def _predict_without_head(backend: Backend, evalset: EvalSet) -> list[ItemPrediction]:
    """An encoder without a head tags nothing and marks nothing; classes are known by similarity."""
    answers = [evalset.task.untrained(example) for example in evalset.examples]
    if answers[0] is None:
        return _predict_by_similarity(backend, evalset)
    return [ItemPrediction(answer, 1.0) for answer in answers]


def _predict_by_similarity(backend: Backend, evalset: EvalSet) -> list[ItemPrediction]:
    """Cosine to each candidate: to the mean of its solved examples, or, where none is shown, to its description."""
    spec, examples = evalset.task.spec, evalset.examples
    described = [evalset.task.described(example) for example in examples]

    def encoded(texts: Sequence[Sequence[str]]) -> list[Encoded]:
        return [evalset.model_encoding.whole(text) for text in texts]

    def embedded(texts: Sequence[Sequence[str]]) -> torch.Tensor:
        """(texts, hidden)"""
        return backend.embeddings(encoded(texts))[:, -1]

    read = encoded([inputs(spec, example) for example in examples])
    texts = backend.embeddings(read)[:, -1]
    means = _means_of_shown(evalset, embedded)
    # A label of which no example is shown is known by its description, as all labels are where none is.
    words = list(dict.fromkeys(text for each in described for value, text in each.items() if value not in means))
    of_text = dict(zip(words, embedded([[text] for text in words]), strict=True)) if words else {}

    def cosines(text: torch.Tensor, candidates: Mapping[Any, str]) -> torch.Tensor:
        known = torch.stack(
            [means[value] if value in means else of_text[described_as] for value, described_as in candidates.items()]
        )
        return nn.functional.cosine_similarity(text[None], known, dim=-1)

    rows = map(cosines, texts, described)
    return [
        ItemPrediction(list(each)[int(row.argmax())], float(row.softmax(-1).max()), truncated=text.truncated)
        for each, row, text in zip(described, rows, read, strict=True)
    ]


def _means_of_shown(evalset: EvalSet, embedded: Callable[[Sequence[Sequence[str]]], torch.Tensor]) -> dict[Any, torch.Tensor]:
    """(hidden,) of each label that solved examples have."""
    spec, shots = evalset.task.spec, evalset.shots
    if not shots:
        return {}
    known = embedded([inputs(spec, shot) for shot in shots])
    rows = {label: [place for place, shot in enumerate(shots) if shot.gold == label] for label in spec.labels}
    return {label: known[places].mean(0) for label, places in rows.items() if places}
