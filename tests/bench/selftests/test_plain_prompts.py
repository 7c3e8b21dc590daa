"""Prompts and references written apart, against transformers' own loss."""

from dataclasses import replace

import pytest
import torch

from bench.inference.contexts import references
from bench.inference.evalset import EvalSet
from bench.selftests.plain_prompts import plain_context, plain_reference_loss
from bench.selftests.plain_reader import PlainReader
from bench.specs.wording import Wording
from bench.tasks import splits, types
from bench.tasks.encoding import Encoding


@pytest.fixture
def asked(library, decoder):
    def of(task, limit=700, **options):
        spec = library.task(task)
        spec = spec.model_copy(update={"options": spec.options | options})
        return EvalSet(types.task_type(spec), splits.load_splits(spec), Encoding(decoder, limit), Wording(), 0, items=40)

    return of


TEMPLATE = (
    "{% for m in messages %}<s>{{ m['role'] }}:\n{{ m['content'] }}</s>{% endfor %}"
    "{% if add_generation_prompt %}<s>assistant:\n{% endif %}"
)


def shortest(evalset):
    """Its place; a longer one is cut."""
    return min(range(len(evalset.examples)), key=lambda place: sum(map(len, evalset.examples[place].fields.values())))


def loss(decoder, module, evalset, place):
    """transformers' own, on the tokens of the answers: those behind "Assistant:" up to the line's end."""
    example = evalset.examples[place]
    text = f"{example.fields['history']}User: {example.fields['text']}\nAssistant: {example.gold[0]}"
    parts = decoder.tokenizer(text, return_offsets_mapping=True)
    spans, begin = [], 0
    for line in text.splitlines(keepends=True):
        if line.startswith("Assistant:"):
            spans.append(range(begin + len("Assistant:"), begin + len(line.rstrip("\n"))))
        begin += len(line)
    spans = spans if evalset.task.options.loss_on == "every answer" else spans[-1:]
    own = [any(first < span.stop and end > span.start for span in spans) for first, end in parts["offset_mapping"]]
    ids = torch.tensor([parts["input_ids"]])
    labels = torch.where(torch.tensor([own]), ids, -100)
    with torch.no_grad():
        return module(input_ids=ids, labels=labels).loss.item()


@pytest.mark.parametrize("loss_on", ["every answer", "last answer"])
def test_a_chats_loss_is_that_of_its_learned_answers(asked, decoder, loss_on):
    chat, module = asked("coqa-chat", loss_on=loss_on), decoder.load().eval()
    place = shortest(chat)
    found = plain_reference_loss(chat, place, PlainReader(module, decoder))
    assert found == pytest.approx(loss(decoder, module, chat, place), rel=1e-4)


def test_a_chats_loss_is_over_the_same_words_however_it_is_asked(asked, decoder, monkeypatch):
    """The ends of turns, which a chat template writes, are no part of any answer."""
    monkeypatch.setattr(decoder.tokenizer, "chat_template", TEMPLATE)
    chat = asked("coqa-chat")
    told = []
    for words in (Wording(), Wording("instruction")):
        judged = references(replace(chat, wording=words))[shortest(chat)]
        told.append(decoder.tokenizer.decode([judged.continuation[1][place] for place in judged.spoken]))
        assert decoder.tokenizer.eos_token not in told[-1]
    assert told[0].replace(" ", "") == told[1].replace(" ", "") and len(told[0].split()) > 4


def test_what_is_cut_is_read_in_another_way(asked, decoder):
    chat, reader = asked("coqa-chat", limit=100), PlainReader(decoder.load().eval(), decoder)
    assert len(plain_context(chat, 0, 20, reader)) == 80 and plain_reference_loss(chat, 0, reader) is None
