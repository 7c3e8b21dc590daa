"""What a decoder reads before its answer, and what of a reference carries loss."""

import pytest

from bench.inference.contexts import contexts, references
from bench.inference.evalset import EvalSet
from bench.inference.local import LocalBackend
from bench.inference.predictions import predict
from bench.specs.wording import Wording
from bench.tasks import splits, types
from bench.tasks.encoding import Encoding


@pytest.fixture
def asked(library, decoder):
    def of(task, wording=None, limit=700, **options):
        spec = library.task(task)
        spec = spec.model_copy(update={"options": spec.options | options})
        sets = types.task_type(spec), splits.load_splits(spec)
        return EvalSet(*sets, Encoding(decoder, limit), wording or Wording(), 0, items=4)

    return of


def judged(encoded, tokenizer):
    """The text of all tokens that carry loss."""
    _, words = encoded.continuation
    return tokenizer.decode([token for place, token in enumerate(words) if place not in encoded.silent])


@pytest.mark.parametrize("shots", [0, 1])
def test_every_answer_of_a_chat_carries_loss_behind_what_is_read(asked, decoder, shots):
    chat = asked("coqa-chat", Wording(shots=shots))
    for example, context, reference in zip(chat.examples, contexts(chat), references(chat), strict=True):
        answers = [line.split(": ", 1)[1] for line in example.fields["history"].splitlines()[1::2]]
        assert len(answers) == 4 and reference.ids[: len(context.ids)] == context.ids
        assert judged(reference, decoder.tokenizer) == "".join(f" {answer}" for answer in [*answers, example.gold[0]])


def test_where_the_last_answer_alone_is_learned_it_alone_carries_loss(asked, decoder):
    chat = asked("coqa-chat", loss_on="last answer")
    for example, context, reference in zip(chat.examples, contexts(chat), references(chat), strict=True):
        assert reference.continuation[0] == context.ids
        assert judged(reference, decoder.tokenizer) == f" {example.gold[0]}"


def test_a_chat_that_is_too_long_loses_what_is_read_of_it_too(asked, decoder):
    chat = asked("coqa-chat", limit=120)
    for context, reference in zip(contexts(chat), references(chat), strict=True):
        assert context.cut and reference.ids[: len(context.ids)] == context.ids and len(context.ids) == 120 - 24


def test_a_chat_whose_template_rewrites_earlier_turns_has_no_such_loss(asked, decoder):
    """The fixture's own begins an answer in another way than it repeats it."""
    chat = asked("coqa-chat", Wording(style="instruction"))
    assert references(chat) == [None] * 4
    assert "reference_loss" not in predict(LocalBackend(decoder.load().eval(), decoder), chat)
    last = asked("coqa-chat", Wording(style="instruction"), loss_on="last answer")
    assert all(reference.answer for reference in references(last))


def test_a_translations_first_reference_stands_behind_its_prompt(asked, decoder):
    texts = asked("localisation-de", Wording(shots=2))
    for example, context, reference in zip(texts.examples, contexts(texts), references(texts), strict=True):
        assert reference.continuation[0] == context.ids and not reference.silent
        assert judged(reference, decoder.tokenizer) == f" {example.gold[0]}"
