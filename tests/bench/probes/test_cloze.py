import pytest
import transformers
from probing import measured

from bench.errors import UserError
from bench.tasks.encoding import Encoding


def test_the_word_is_right_when_generation_gives_it(library, decoder, decoding, made):
    model = decoder.load().eval()
    cloze = made(library.probe("lambada"), decoding)
    # A random model never guesses the word: ask for what it would write, so that both outcomes occur.
    for number, row in enumerate(cloze.rows):
        row["text"] = row["text"][:200].strip()
        (request,) = cloze.requests([(row["text"], " the")])
        written = write(model, request[0], 1)
        word = decoding.model.tokenizer.decode(written)
        expected = number % 2 and word.startswith(" ") and cloze.requests([(row["text"], word)])[0][1] == tuple(written)
        if expected:
            row["answer"] = word[1:]
        row["expected"] = float(expected)
    assert measured(cloze, model)["right"].tolist() == [row["expected"] for row in cloze.rows]


def write(model, context, count):
    """Greedy tokens, by transformers' own generation."""
    import torch

    config = transformers.GenerationConfig(pad_token_id=0, max_new_tokens=count, do_sample=False)
    return model.generate(torch.tensor([context]), generation_config=config)[0, len(context) :].tolist()


@pytest.mark.parametrize("wrong_at", [None, 9])
def test_the_whole_answer_counts(decoder, decoding, own, made, wrong_at):
    """An answer of ten tokens that the model would write, or would but for the last."""
    model = decoder.load().eval()
    cloze = made(own("cloze", [{"text": "the film", "answer": "x"}]), decoding)
    context = cloze.requests([("the film", " x")])[0][0]
    ids = write(model, context, 10)
    if wrong_at:
        ids[wrong_at] = ids[wrong_at] + 1
    cloze.requests = lambda pairs: [(context, tuple(ids))]
    assert measured(cloze, model)["right"].tolist() == [float(wrong_at is None)]


def test_an_answer_that_max_length_cannot_hold_is_named(decoder, own, made):
    probe = made(own("cloze", [{"text": "he said", "answer": "word " * 40}]), Encoding(decoder, 16))
    with pytest.raises(UserError, match=r"probe 'own', \d+ tokens of 'word word.*: max_length 16 leaves no room"):
        measured(probe, decoder.load().eval())
