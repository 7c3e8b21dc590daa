"""Predictions on real examples, each way of asking against its definition."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
import torch
from transformers import AutoModel, AutoModelForSequenceClassification

from bench.inference.backend import Backend, GeneratedText, Likelihood, Prompt
from bench.inference.contexts import contexts
from bench.inference.evalset import EvalSet
from bench.inference.local import LocalBackend
from bench.inference.predictions import predict, unusual_way
from bench.modeling.models import find_model
from bench.specs.library import Library
from bench.specs.wording import Wording
from bench.tasks import splits, types
from bench.tasks.encoding import Encoding
from bench.tasks.prompts import instruction, plain


class Writer(Backend):
    """Writes what it is told to and remembers what it was asked, as a model behind an API does."""

    name, can = "writer", frozenset({"generate"})

    def __init__(self, texts):
        self.texts, self.prompts, self.one_line = texts, [], None

    def generate(self, prompts, longest, one_line, beams=1):
        self.prompts += prompts
        self.one_line = one_line
        return [GeneratedText(text, None, (7, 3)) for text, _ in zip(self.texts, prompts, strict=False)]


@pytest.fixture
def evalset(sst2, decoding):
    return EvalSet(types.task_type(sst2), splits.load_splits(sst2), decoding, Wording(), 0, items=6)


def nats(model, tokenizer, prompt, answer):
    """The answer's log-likelihood after the prompt, by transformers' own loss."""
    context = tokenizer(prompt)["input_ids"]
    ids = torch.tensor([[*context, *tokenizer(answer, add_special_tokens=False)["input_ids"]]])
    labels = ids.clone()
    labels[0, : len(context)] = -100
    with torch.no_grad():
        return -model(input_ids=ids, labels=labels).loss.item() * (ids.shape[1] - len(context))


def test_the_candidate_that_the_model_finds_likeliest_is_predicted(evalset, decoder):
    module = decoder.load().eval()
    found = predict(LocalBackend(module, decoder), evalset)
    assert found["item"].tolist() == [example.id for example in evalset.examples] and "malformed" not in found
    for example, said, sure in zip(evalset.examples, found["prediction"], found["confidence"], strict=True):
        prompt = plain(evalset.task.spec, example)
        scores = [nats(module, decoder.tokenizer, prompt, f" {words}") for words in evalset.task.candidates(example).values()]
        assert said == evalset.task.spec.labels[int(np.argmax(scores))]
        assert sure == pytest.approx(np.exp(scores).max() / np.exp(scores).sum(), rel=1e-3)


def test_the_longer_of_two_answers_wins_where_it_is_the_likelier_whole(evalset, monkeypatch):
    """Planted fault: without an end behind it, the beginning of an answer is never less likely than the answer."""
    spec = evalset.task.spec.model_copy(update={"answers": {"negative": "good", "positive": "good film"}})
    asked, end = replace(evalset, task=types.task_type(spec)), evalset.encoding.model.tokenizer.eos_token_id
    good = asked.candidates[0]["negative"][0]

    class Certain(Backend):
        """Goes on after `good`, and stops after the next word."""

        name, can = "certain", frozenset({"loglikelihoods"})

        def loglikelihoods(self, requests):
            def nats(before, token):
                return -5.0 if (before, token) == (good, end) else -0.1

            return [
                Likelihood(tuple(nats(before, token) for before, token in pairwise((context[-1], *ids))), False, ids)
                for context, ids in requests
            ]

    assert set(predict(Certain(), asked)["prediction"]) == {"positive"}


def test_solved_examples_change_what_is_predicted_and_not_the_examples(evalset, decoder):
    backend = LocalBackend(decoder.load().eval(), decoder)
    plainly, shown = (predict(backend, replace(evalset, wording=Wording(shots=shots))) for shots in (0, 4))
    assert plainly["item"].tolist() == shown["item"].tolist()
    assert (plainly["confidence"] - shown["confidence"]).abs().min() > 0


def test_a_model_that_gives_no_likelihoods_is_asked_to_write(evalset):
    asked = replace(evalset, encoding=None, wording=Wording(style="instruction"))
    writer = Writer(["positive", "Negative.", "no idea", "", "positive", "negative"])
    found = predict(writer, asked)
    assert found["prediction"].tolist() == ["positive", "negative", "", "", "positive", "negative"]
    assert found["malformed"].tolist() == [False, False, True, True, False, False]
    assert found["confidence"].isna().all() and found["read"].tolist() == [7] * 6 and found["written"].tolist() == [3] * 6
    spec = asked.task.spec
    turns = [(instruction(spec, example, "test", asked.place(index)),) for index, example in enumerate(asked.examples)]
    assert [prompt.turns for prompt in writer.prompts] == turns
    assert "gives no likelihoods" in unusual_way(writer.can, asked.task)


@pytest.mark.parametrize("template", [True, False])
def test_an_answer_is_a_line_where_no_chat_template_ends_it(library, decoder, monkeypatch, template):
    if not template:
        monkeypatch.setattr(decoder.tokenizer, "chat_template", None)
    spec = library.task("medical-spans")
    for style, one_line in (("plain", True), ("instruction", not template)):
        data, words = splits.load_splits(spec), Wording(style)
        backend = Writer(["none"])
        predict(backend, EvalSet(types.task_type(spec), data, Encoding(decoder, 256), words, 0, items=1))
        assert backend.one_line is one_line


class Remembering(LocalBackend):
    """A local model that keeps what it was given to read of each item."""

    def __init__(self, *given):
        super().__init__(*given)
        self.read = []

    def loglikelihoods(self, requests):
        self.read += [context for context, _ in requests][::2]  # each of two labels is asked for behind the same words
        return super().loglikelihoods(requests)

    def generate(self, prompts, *limits, **named):
        self.read += [prompt.ids for prompt in prompts]
        return super().generate(prompts, *limits, **named)

    def head_logits(self, windows):
        self.read += [window.ids for window in windows]
        return super().head_logits(windows)

    def embeddings(self, texts):
        self.read += [text.ids for text in texts]
        return super().embeddings(texts)


@pytest.mark.parametrize(
    ("name", "family", "head"),
    [
        ("sst2", "decoder", None),
        ("localisation-de", "decoder", None),
        ("sst2", "encoder", 0),
        ("sst2", "encoder", None),
        ("business-exams", "encoder", None),
    ],
)
def test_an_item_of_which_a_part_alone_is_read_says_so(library, request, name, family, head):
    """The oracle: whether the model is given the same ids where there is room for everything."""
    model, task = request.getfixturevalue(family), types.task_type(library.task(name))
    data, kind = splits.load_splits(task.spec), {"num_labels": 2} if head == 0 else {}
    auto = AutoModelForSequenceClassification if kind else AutoModel
    module = (model.load() if family == "decoder" else model.load(auto, **kind)).eval()

    def asked(limit):
        backend = Remembering(module, model)
        found = predict(backend, EvalSet(task, data, Encoding(model, limit), Wording(), 0, items=24, head=head))
        return found["truncated"].tolist(), backend.read[:24]

    said, whole = asked(512)
    assert not any(said)
    middle = sorted(map(len, whole))[12] + (task.answer_tokens if task.asks == "write" else 0)
    said, read = asked(middle)
    assert said == [part != everything for part, everything in zip(read, whole, strict=True)] and 0 < sum(said) < 24


def test_an_answer_that_came_to_the_limit_of_tokens_says_so(library, decoder):
    spec = library.task("localisation-de")
    evalset = EvalSet(types.task_type(spec), splits.load_splits(spec), Encoding(decoder, 256), Wording(), 0, items=4)
    module = decoder.load().eval()
    found = predict(LocalBackend(module, decoder), evalset)
    texts = LocalBackend(module, decoder).generate([Prompt(context.ids) for context in contexts(evalset)], 48, one_line=True)
    assert found["unfinished"].tolist() == [not text.finished for text in texts]


def test_what_an_item_reads_like_has_what_is_asked_about_and_no_more(library, decoding):
    """Whoever judges an answer reads it, of a chat in its order."""
    for name, end in (("coqa-chat", "\nAssistant:"), ("localisation-de", "\nGerman:")):
        spec = library.task(name)
        found = predict(
            Writer(["x"]), EvalSet(types.task_type(spec), splits.load_splits(spec), decoding, Wording(), 0, items=1)
        )
        assert found["text"][0].endswith(end)
    spec = library.task("medical-spans")
    evalset = EvalSet(types.task_type(spec), splits.load_splits(spec), decoding, Wording(), 0, items=1)
    assert predict(Writer(["none"]), evalset)["text"][0] == evalset.examples[0].fields["text"]


def test_validation_items_are_asked_in_the_words_of_training(evalset, encoder, monkeypatch):
    """The unseen wordings are part of the test: a curve or an early stop that saw them would choose by them."""
    told = replace(evalset, wording=Wording(style="instruction"), split="validation")
    spec, examples = told.task.spec, told.examples
    words = [instruction(spec, example, "train", told.place(index)) for index, example in enumerate(examples)]
    assert not set(words) & {instruction(spec, example, "test", number) for example in examples for number in range(4)}

    writer = Writer(["positive"] * len(examples))
    predict(writer, replace(told, encoding=None))  # as a chat
    assert [prompt.turns for prompt in writer.prompts] == [(each,) for each in words]

    writer = Writer(["positive"] * len(examples))
    predict(writer, told)  # as token ids
    read = [evalset.encoding.model.tokenizer.decode(prompt.ids) for prompt in writer.prompts]
    assert all(each in text for each, text in zip(words, read, strict=True))

    encoding, seen = Encoding(encoder, 64), []
    windows = encoding.windows
    monkeypatch.setattr(Encoding, "windows", lambda self, *given: seen.append(given[3]) or windows(*given))
    module = encoder.load(AutoModelForSequenceClassification, num_labels=2).eval()
    predict(LocalBackend(module, encoder), replace(told, encoding=encoding, head=0))
    assert seen == ["train"] * len(examples)


def test_solved_examples_are_turns_of_the_chat_in_the_same_words(evalset):
    asked = replace(evalset, encoding=None, wording=Wording(style="instruction", shots=2), items=1, paraphrase=1)
    writer = Writer(["positive"])
    predict(writer, asked)
    (prompt,), spec = writer.prompts, asked.task.spec
    first, second = asked.shots
    words = [instruction(spec, example, "test", 1) for example in (first, second, asked.examples[0])]
    assert prompt.turns == (words[0], asked.task.answer(first), words[1], asked.task.answer(second), words[2])


def test_a_solved_dialogue_is_shown_with_the_turns_before_its_answer(library, decoding):
    """Without them an API saw a bare `Why?` and its answer."""
    spec, wording = library.task("coqa-chat"), Wording(style="instruction", shots=1)
    talk = replace(
        EvalSet(types.task_type(spec), splits.load_splits(spec), decoding, wording, 0, items=1, paraphrase=0), encoding=None
    )
    writer = Writer(["yes"])
    predict(writer, talk)
    (prompt,), task = writer.prompts, talk.task
    (shot,) = talk.shots
    earlier = task.before(shot)
    assert earlier and prompt.turns[: len(earlier)] == tuple(earlier)
    assert prompt.turns[len(earlier) + 1] == task.answer(shot)
    assert prompt.turns[len(earlier) + 2 :] == (
        *task.before(talk.examples[0]),
        instruction(task.spec, talk.examples[0], "test", 0),
    )


def test_the_usual_way_needs_no_word(evalset, decoder, encoder, library):
    assert unusual_way(decoder.can, evalset.task) is None and unusual_way(encoder.can, evalset.task) is None
    assert unusual_way(Writer.can, types.task_type(library.task("squad"))) is None  # a task that is written has no other way


def test_a_head_answers_for_its_task(evalset, encoder):
    torch.manual_seed(0)
    module = encoder.load(AutoModelForSequenceClassification, num_labels=2).eval()
    asked = replace(evalset, encoding=Encoding(encoder, 64), head=0)
    found = predict(LocalBackend(module, encoder), asked)
    for example, said, sure in zip(asked.examples, found["prediction"], found["confidence"], strict=True):
        with torch.no_grad():
            shares = module(**encoder.tokenizer(example.fields["text"], return_tensors="pt")).logits.softmax(-1)[0]
        assert said == asked.task.spec.labels[int(shares.argmax())] and sure == pytest.approx(shares.max().item(), rel=1e-4)


def test_an_encoder_without_a_head_answers_by_similarity_or_not_at_all(evalset, encoder, library):
    backend = LocalBackend(encoder.load(AutoModel).eval(), encoder)
    asked = replace(evalset, encoding=Encoding(encoder, 64))
    assert set(predict(backend, asked)["prediction"]) <= set(asked.task.spec.labels)
    spec = library.task("squad")
    questions = EvalSet(types.task_type(spec), splits.load_splits(spec), asked.encoding, Wording(), 0, items=2)
    assert predict(backend, questions)["prediction"].tolist() == ["", ""]


class Silent(Writer):
    """A decoder that reads ids, and says nothing of interest."""

    def generate(self, prompts, longest, one_line, beams=1):
        self.prompts += prompts
        return [GeneratedText("x", None) for _ in prompts]


@pytest.mark.parametrize("style", ["plain", "instruction"])
@pytest.mark.parametrize("shots", [0, 2])
def test_a_question_is_answerable_where_its_answer_is_in_what_is_read(library, decoder, style, shots):
    """The oracle: the ids that the model gets, as text, held against the context's own sentences."""
    spec = library.task("squad")
    encoding, wording = Encoding(decoder, 160), Wording(style=style, shots=0 if style == "instruction" else shots)
    asked = EvalSet(types.task_type(spec), splits.load_splits(spec), encoding, wording, 0, items=60)
    backend = Silent([])
    found = predict(backend, asked)["answerable"].tolist()
    assert 0 < sum(found) < len(found)
    for example, prompt, answerable in zip(asked.examples, backend.prompts, found, strict=True):
        read, context = decoder.tokenizer.decode(prompt.ids), example.fields["context"]
        places = [p for gold in example.gold for p in range(len(context)) if context.startswith(gold, p)]
        # 20 characters around an answer tell the context's words from the question's and from solved examples.
        whole = [context[max(0, p - 20) : p + 20] in read for p in places]
        if answerable:
            assert any(gold in read for gold in example.gold)
        else:
            assert not any(whole)


def test_what_has_no_text_to_look_in_has_no_answerable_share(evalset, decoder):
    assert "answerable" not in predict(LocalBackend(decoder.load().eval(), decoder), evalset)


@pytest.mark.slow
@pytest.mark.parametrize("style", ["plain", "instruction"])
def test_the_qa_suite_s_length_leaves_at_least_98_percent_answerable(library, style):
    suite, model = library.suite("qa"), find_model("smollm2", library)
    spec = library.task(suite.tasks[0])
    encoding = Encoding(model, suite.max_length)
    asked = EvalSet(types.task_type(spec), splits.load_splits(spec), encoding, Wording(style=style), 0)
    assert predict(Silent([]), asked)["answerable"].mean() >= 0.98


def test_a_reference_is_read_as_far_as_the_model_has_positions(decoder, monkeypatch):
    """Longer than what may be written, behind a prompt that leaves no room for more: GPT-2 has no further position."""
    spec = Library().task("localisation-de").model_copy(update={"options": {"answer_tokens": 4}})
    encoding = Encoding(decoder, 64)
    encoding.positions = 64
    asked, write = [], LocalBackend.generate
    monkeypatch.setattr(
        LocalBackend,
        "generate",
        lambda self, prompts, *limits, **named: asked.extend(prompts) or write(self, prompts, *limits, **named),
    )
    evalset = EvalSet(types.task_type(spec), splits.load_splits(spec), encoding, Wording(), 0, items=40)
    assert predict(LocalBackend(decoder.load().eval(), decoder), evalset)["reference_loss"].gt(0).all()
    assert max(len(ids) + len(words) for ids, words in (prompt.reference for prompt in asked)) == 64


def test_the_first_references_loss_stands_beside_what_is_written(decoder):
    task = types.task_type(Library().task("localisation-de"))
    asked = EvalSet(task, splits.load_splits(task.spec), Encoding(decoder, 128), Wording(), 0, items=4)
    module = decoder.load().eval()
    found = predict(LocalBackend(module, decoder), asked)
    for example, loss in zip(asked.examples, found["reference_loss"], strict=True):
        said = f" {example.gold[0]}"
        tokens = len(decoder.tokenizer(said, add_special_tokens=False)["input_ids"])
        wanted = -nats(module, decoder.tokenizer, plain(task.spec, example), said) / tokens
        assert loss == pytest.approx(wanted, rel=1e-4)
