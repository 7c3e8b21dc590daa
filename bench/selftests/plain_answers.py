"""A task's answers a second time: what a model predicts of one example, from its words and the model's plain forward pass.

Written from the ways' definitions, apart from `bench/inference/` and from what batches, pads, caches and cuts for it.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import pairwise
from math import exp
from typing import Any

import regex
import torch

from bench.inference.evalset import EvalSet
from bench.selftests.plain_prompts import instruction_number, plain_context, plain_continuation, plain_reference_loss
from bench.selftests.plain_reader import PlainReader, Tokenised
from bench.tasks import prompts
from bench.tasks.examples import Example
from bench.tasks.types import TaskType
from bench.tasks.types.multiple_choice import ChoiceTask
from bench.tasks.types.ner import Ner
from bench.tasks.types.qa import Qa

DROPPED = regex.compile(r"[\p{Mn}\p{Cf}]*")
HALF_A_LETTER = "\N{REPLACEMENT CHARACTER}"
"""As which bytes are decoded that are no whole letter."""


@dataclass(frozen=True)
class PlainAnswer:
    """`value` is None where the answer is malformed."""

    value: Any
    confidence: float
    margin: float
    """How much likelier it was than the next: in nats, logits or cosines; of a text, of its closest token. Of a close choice
    rounding may make another."""
    steps: tuple[tuple[str, float], ...] = ()
    """Of a text that was written: what stood there after each token, and by how many nats that token was chosen."""
    in_nats: bool = True
    """Whether the margin is in nats or logits, and not in cosines."""
    reference_loss: float | None = None
    """Nats per token of the reference, where text was written and that can be read again in one pass."""

    def margin_before(self, prediction: Any) -> float:
        """Of the choice from which on a text goes another way than `prediction`; of the closest one where that is no text."""
        if not self.steps or not isinstance(prediction, str) or prediction == self.steps[-1][0]:
            return self.margin
        # A token may end within a letter, which is then no beginning of any text: what comes before it is.
        whole = ((text.rstrip(HALF_A_LETTER), margin) for text, margin in self.steps)
        return next((margin for text, margin in whole if not prediction.startswith(text)), self.steps[-1][1])


PlainWay = Callable[[EvalSet, int, PlainReader], PlainAnswer | None]
"""How an example of a set, by its index, is answered by a reader."""


def plain_answer(evalset: EvalSet, index: int, reader: PlainReader, prediction: Any = None) -> PlainAnswer | None:
    """The answer to one of the set's examples; None where it takes more than one pass to read.

    Args:
        prediction: what came out before. A text that the model does write is read faster so, and the answer is the same.
    """
    example = evalset.examples[index]
    if reader.model.family == "encoder":
        return (
            _plain_answer_by_similarity(evalset, example, reader)
            if evalset.head is None
            else _plain_answer_by_head(evalset, index, reader)
        )
    ways: dict[str, PlainWay] = {
        "rank": _plain_answer_by_ranking,
        "write": partial(_plain_answer_by_writing, prediction=prediction),
        "read": _plain_answer_by_reading,
    }
    return ways[evalset.task.asks](evalset, index, reader)


def _plain_answer_by_ranking(evalset: EvalSet, index: int, reader: PlainReader) -> PlainAnswer:
    words = _candidate_words(evalset.task, evalset.examples[index])
    ids = {value: plain_continuation(evalset, reader, text) for value, text in words.items()}
    sums = all(evalset.task.length(text) == 1 for text in words.values())
    if sums and any(one != other and one == other[: len(one)] for one in ids.values() for other in ids.values()):
        end = reader.tokenizer.eos_token_id
        ids = {value: [*tokens, *([] if end is None else [end])] for value, tokens in ids.items()}
    context = plain_context(evalset, index, max(map(len, ids.values())), reader)
    return _likeliest_answer({value: reader.nats(context, ids[value]) / evalset.task.length(words[value]) for value in words})


def _candidate_words(task: TaskType, example: Example) -> dict[str, str]:
    """Of each answer that may be given. Labels' words are read from the YAML file, not asked of the type whose answers are
    checked; a question's own choices are the type's reading of its row, and are taken from it."""
    return task.candidates(example) if isinstance(task, ChoiceTask) else {x: task.spec.answers[x] for x in task.spec.labels}


def _likeliest_answer(scores: dict[str, float]) -> PlainAnswer:
    """The answer with the highest score, and its share where each has e to its score."""
    # Sorted in a stable way: of equal scores the first is the answer, as `max` has it in predictions.
    first, second = sorted(scores, key=lambda label: -scores[label])[:2]
    total = sum(exp(score - scores[first]) for score in scores.values())
    return PlainAnswer(first, 1 / total, scores[first] - scores[second])


def _plain_answer_by_writing(evalset: EvalSet, index: int, reader: PlainReader, prediction: Any) -> PlainAnswer | None:
    task, tokenizer = evalset.task, reader.tokenizer
    if task.beams > 1:
        return None
    one_line, stops = evalset.wording.style == "plain" or not tokenizer.chat_template, reader.stops

    def ends(token: int) -> bool:
        return token in stops or (one_line and "\n" in tokenizer.decode([token]))

    def text(tokens: Sequence[int]) -> str:
        whole = tokenizer.decode([token for token in tokens if token not in stops], skip_special_tokens=True).strip()
        return whole.split("\n")[0] if one_line else whole

    context = plain_context(evalset, index, task.answer_tokens, reader)
    words = _in_words(task, evalset.examples[index], prediction)

    def guess(ids: Sequence[int]) -> Sequence[int]:
        if not ids:
            return plain_continuation(evalset, reader, words)
        done = " ".join(tokenizer.decode(ids).split())  # as predictions have it
        return tokenizer(words[len(done) :], add_special_tokens=False)["input_ids"] if words.startswith(done) else []

    ids, chance, margins = reader.written(context, task.answer_tokens, ends, guess)
    steps = tuple((text(ids[: place + 1]), margin) for place, margin in enumerate(margins))
    loss = plain_reference_loss(evalset, index, reader) if task.weighs else None
    return PlainAnswer(task.parse(evalset.examples[index], text(ids)), chance, min(margins), steps, reference_loss=loss)


def _in_words(task: TaskType, example: Example, prediction: Any) -> str:
    """Of a prediction, which is a text or tags; nothing where that can't be told."""
    if prediction is None or isinstance(prediction, str):
        return prediction or ""
    known = all(tag == "O" or tag[2:] in task.spec.answers for tag in prediction)  # what was malformed has a type of no name
    return task.answer(replace(example, gold=tuple(prediction))) if known else ""


def _plain_answer_by_reading(evalset: EvalSet, index: int, reader: PlainReader) -> PlainAnswer:
    nats, tokens, spelt = reader.passage(evalset.examples[index].fields["text"], evalset.model_encoding.max_length)
    return PlainAnswer([nats, float(tokens), float(spelt)], exp(-nats / tokens), float("inf"))


def _texts_for_head(evalset: EvalSet, index: int) -> list[str]:
    """What stands before the text that is read in windows, or all that is read where none is."""
    example, long = evalset.examples[index], evalset.task.long
    if evalset.wording.style == "plain":
        return prompts.inputs(evalset.task.spec, example, without=long)
    number = instruction_number(evalset, index)
    return [prompts.instruction(evalset.task.spec, example, evalset.instructions, number, without=long)]


def _plain_answer_by_head(evalset: EvalSet, index: int, reader: PlainReader) -> PlainAnswer | None:
    task, example, head = evalset.task, evalset.examples[index], evalset.head or 0
    limit, texts = evalset.model_encoding.max_length, _texts_for_head(evalset, index)
    if isinstance(task, ChoiceTask):
        pairs = {value: reader.tokens([" ".join(texts), text], limit) for value, text in task.candidates(example).items()}
        return _likeliest_answer({value: reader.choice(pair, head) for value, pair in pairs.items()})
    if task.long is None:
        scores = reader.head(reader.tokens(texts, limit), head)["logits"]
        return _likeliest_answer(dict(zip(task.spec.labels, scores.tolist(), strict=True)))
    lead = " ".join(texts).strip()
    both = [lead, example.fields[task.long]] if lead else [example.fields[task.long]]
    encoding = reader.tokenizer(*both, return_offsets_mapping=True)
    if len(encoding["input_ids"]) > limit or len(reader.tokenizer(lead)["input_ids"]) > limit // 2 - 2:
        return None
    text = {name: list(encoding[name]) for name in ("input_ids", "token_type_ids") if name in encoding}
    if isinstance(task, Ner):
        return _word_tags(task, example, encoding, reader.head(text, head)["logits"])
    return _best_span(task, example, encoding, reader.head(text, head)) if isinstance(task, Qa) else None


def _own_tokens(encoding: Any) -> list[int]:
    """Places of the last text's tokens."""
    sequences = encoding.sequence_ids(0)
    last = max(number for number in sequences if number is not None)
    return [place for place, number in enumerate(sequences) if number == last]


def _word_tags(task: Ner, example: Example, encoding: Any, logits: torch.Tensor) -> PlainAnswer:
    """Of each word's first piece."""
    words, begin, tags, shares, margin = example.fields["text"].split(" "), 0, [], [], float("inf")
    names = ["O", *(f"{mark}-{label}" for label in task.spec.labels for mark in "BI")]
    for word in words:
        end = begin + len(word)
        # The first one holds the word's first character, or with some tokenizers the space before it.
        pieces = [p for p in _own_tokens(encoding) if begin < encoding["offset_mapping"][p][1] <= end]
        begin = end + 1
        if not pieces:  # a word of characters that the tokenizer leaves out, such as a space of no width
            tags.append("O")
            continue
        chances, best = logits[pieces[0]].softmax(-1), logits[pieces[0]].topk(2)
        tags.append(names[int(best.indices[0])])
        shares.append(float(chances.max()))
        margin = min(margin, float(best.values[0] - best.values[1]))
    return PlainAnswer(tags, min(shares, default=1.0), margin)


def _best_span(task: Qa, example: Example, encoding: Any, logits: dict[str, torch.Tensor]) -> PlainAnswer:
    """The best pair of ends in the context, by trying them all."""
    starts, ends, own = logits["start_logits"].tolist(), logits["end_logits"].tolist(), _own_tokens(encoding)
    pairs = [(starts[a] + ends[b], a, b) for a in own for b in own if a <= b < a + task.options.answer_tokens]
    ranked = sorted(pairs, key=lambda pair: -pair[0])
    nothing = starts[0] + ends[0]
    both = logits["start_logits"].logsumexp(0) + logits["end_logits"].logsumexp(0)
    scores = sorted([score for score, *_ in ranked[:2]] + ([nothing] if task.options.no_answer is not None else []))
    margin = min((b - a for a, b in list(pairwise(scores))[-1:]), default=float("inf"))
    score, first, last = ranked[0]
    if task.options.no_answer is not None and nothing > score:
        return PlainAnswer("", float((nothing - both).exp()), margin)
    (begin, _), (_, end) = (encoding["offset_mapping"][place] for place in (first, last))
    context = example.fields["context"]
    # Marks of the last letter may have no token.
    text = context[begin:end] + DROPPED.match(context[end:])[0]
    return PlainAnswer(text, float((score - both).exp()), margin)


def _plain_answer_by_similarity(evalset: EvalSet, example: Example, reader: PlainReader) -> PlainAnswer | None:
    """The label whose description, or whose solved examples' mean, has the highest cosine."""
    spec = evalset.task.spec
    if evalset.task.untrained(example) is not None:
        return None
    text = _text_embedding(prompts.inputs(spec, example), evalset, reader)
    if isinstance(evalset.task, ChoiceTask):
        described = evalset.task.described(example)
    else:
        empty = spec.prompt.format(**dict.fromkeys(example.fields, ""))
        described = {label: f"{empty} {words}" for label, words in _candidate_words(evalset.task, example).items()}
    known = {value: _label_embedding(value, words, evalset, reader) for value, words in described.items()}
    cosines = {label: float(text @ vector / max(text.norm() * vector.norm(), 1e-8)) for label, vector in known.items()}
    return replace(_likeliest_answer(cosines), in_nats=False)


def _label_embedding(label: str, words: str, evalset: EvalSet, reader: PlainReader) -> torch.Tensor:
    own = [
        _text_embedding(prompts.inputs(evalset.task.spec, shot), evalset, reader)
        for shot in evalset.shots
        if shot.gold == label
    ]
    return torch.stack(own).mean(0) if own else _text_embedding([words], evalset, reader)


def _text_embedding(texts: Sequence[str], evalset: EvalSet, reader: PlainReader) -> torch.Tensor:
    tokens: Tokenised = reader.tokens(texts, evalset.model_encoding.max_length)
    return reader.embedding(tokens).double()
