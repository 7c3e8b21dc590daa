import pytest
import torch
import transformers
from probing import measured

from bench.errors import UserError
from bench.inference.backend import Likelihood
from bench.inference.local import LocalBackend
from bench.probes import probe_class
from bench.probes.base import filled_rows


@pytest.fixture
def written(decoder):
    """What the model writes after a question, greedily: text and ids."""
    model, tokenizer = decoder.load().eval(), decoder.tokenizer

    def write(question, count):
        ids = tokenizer(question, return_tensors="pt")["input_ids"]
        config = transformers.GenerationConfig(pad_token_id=0, eos_token_id=2, max_new_tokens=count, do_sample=False)
        return model.generate(ids, generation_config=config)[0, ids.shape[1] :].tolist()

    return write


def test_an_answer_counts_when_the_model_would_write_it(decoder, decoding, own, made, written, monkeypatch):
    """Ids as the model writes them stand in for a word, and whatever comes then for its end: a random model writes no words."""
    monkeypatch.setattr("bench.probes.closed_book.ENDS", ("",))
    questions = [f"who made film {number} ?" for number in range(6)]
    book = made(own("closed-book", [{"question": question, "answers": ["x"]} for question in questions]), decoding)
    for number, row in enumerate(book.rows):
        ids = [*written(row["question"], 2), decoder.tokenizer.eos_token_id]
        wrong = [[ids[0], ids[1] + 1, ids[2]], [ids[0] + 1, *ids[1:]]]
        row["asked"] = [("wrong", tuple(w)) for w in wrong] + ([("right", tuple(ids))] if number % 2 else [])
    asked = {row["question"]: row["asked"] for row in book.rows}
    book._answers = lambda row: [(a, (tuple(decoding.ids(row["question"])), ids)) for a, ids in asked[row["question"]]]
    items = measured(book, decoder.load().eval())
    assert items["right"].tolist() == [float(number % 2) for number in range(6)]
    assert set(items["prediction"]) == {"", "right"}


def test_each_accepted_answer_is_asked_once(decoder, decoding, own, made):
    book = made(own("closed-book", [{"question": "who ?", "answers": ["Ann", " Ann ", "Bea"]}]), decoding)
    asked = book._answers(book.rows[0])
    texts = [(answer, decoder.tokenizer.decode(ids)) for answer, (_, ids) in asked]
    assert texts == [(name, f" {name}</s>") for name in ("Ann", "Bea")]
    assert {context for _, (context, _) in asked} == {tuple(decoding.ids("who ?"))}


def test_the_first_answer_that_says_something_is_the_gold_one(decoder, decoding, own, made):
    book = made(own("closed-book", [{"question": "who ?", "answers": ["", "Ann"]}]), decoding)
    assert measured(book, decoder.load().eval())["gold"].tolist() == ["Ann"]


@pytest.mark.parametrize(
    ("after", "right"),
    [("\n", 1.0), (".", 1.0), (",", 1.0), ("</s>", 1.0), ("\n\n", 1.0), (".\n\n", 1.0), (" and", 0.0), ("ette", 0.0)],
)
def test_an_end_is_any_token_that_begins_with_one(decoding, own, made, monkeypatch, after, right):
    """Tokenizers have tokens for a blank line, and for a full stop with one."""
    book = made(own("closed-book", [{"question": "who ?", "answers": ["Ann"]}]), decoding)
    tokenizer, last = decoding.model.tokenizer, 987654
    decode = tokenizer.decode
    monkeypatch.setattr(tokenizer, "decode", lambda ids, **_: after if list(ids) == [last] else decode(ids))

    def judged(model, requests):
        end = tokenizer.eos_token_id if after == "</s>" else last
        said = [(*ids[:-1], end) if len(ids) > 1 and ids[-1] == tokenizer.eos_token_id else ids for _, ids in requests]
        return [
            Likelihood((-1.0 / len(ids),) * len(ids), said == ids, said) for (_, ids), said in zip(requests, said, strict=True)
        ]

    monkeypatch.setattr(LocalBackend, "loglikelihoods", judged)
    items = measured(book, None)
    assert items["right"].tolist() == [right] and items["value"].tolist() == pytest.approx([-1.0])


@pytest.mark.parametrize("name", ["triviaqa", "nq-open", "jeopardy"])
def test_the_data_sets_are_faultless(library, name):
    spec = library.probe(name)
    probe_class(spec).check(spec)
    assert all(isinstance(row["answers"], list) for row in filled_rows(spec))


@pytest.mark.parametrize("answers", ["Ann", [" ", ""]])
def test_answers_that_are_none_are_named(own, answers):
    spec = own("closed-book", [{"question": "who ?", "answers": answers}])
    with pytest.raises(UserError, match="line 1: field 'answers' must be a list"):
        probe_class(spec).check(spec)


@pytest.mark.slow
def test_the_default_model_answers_as_it_generates(library, own, made):
    """Our greedy match against generated text, cut where lm-evaluation-harness cuts it."""
    from bench.modeling import models
    from bench.tasks.encoding import Encoding

    model = models.find_model("smollm2", library)
    net, tokenizer = model.load().eval(), model.tokenizer
    names = {"France": "Paris", "Germany": "Berlin", "Spain": "Madrid", "Italy": "Rome", "Bhutan": "Thimphu", "Peru": "Lima"}
    rows = [{"question": f"Question: What is the capital of {c}?\nAnswer:", "answers": [a]} for c, a in names.items()]
    items = measured(made(own("closed-book", rows), Encoding(model, 64)), net)
    book = made(own("closed-book", rows), Encoding(model, 64))
    expected = []
    for row in book.rows:
        ids = tokenizer(row["question"], return_tensors="pt")["input_ids"]
        with torch.no_grad():
            said = net.generate(ids, max_new_tokens=8, do_sample=False)[0, ids.shape[1] :]
        text = tokenizer.decode(said, skip_special_tokens=True)
        for end in "\n.,":
            text = text.split(end)[0]
        expected.append(float(text.strip() == row["answers"][0]))
    assert items["right"].tolist() == expected
