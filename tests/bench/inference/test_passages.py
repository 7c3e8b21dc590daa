import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from bench.errors import UserError
from bench.inference.local import LocalBackend
from bench.inference.passages import passage_losses, windows
from bench.selftests.plain_reader import PlainReader
from bench.tasks.encoding import Encoding

TEXTS = ["the film was great", "naïve café 🙂 " * 30, "a b"]


@given(st.integers(2, 500), st.integers(4, 64))
def test_windows_count_every_token_but_the_first_once(length, size):
    counted = [place for start, end, count in windows(length, size) for place in range(end - count, end)]
    assert counted == list(range(1, length))
    for start, end, count in windows(length, size):
        assert end - start <= size
        # What is predicted has at least half a window before it, except in the first.
        assert start == 0 or end - start - count >= size - size // 2


def test_a_text_in_one_window_has_transformers_loss(decoder, decoding):
    model = decoder.load().eval()
    found = passage_losses(LocalBackend(model, decoder), decoding, [TEXTS[0], TEXTS[2]])
    for text, loss in zip([TEXTS[0], TEXTS[2]], found, strict=True):
        ids = torch.tensor([decoder.tokenizer(text)["input_ids"]])
        with torch.no_grad():
            mean = model(input_ids=ids, labels=ids).loss.item()
        assert loss.tokens == ids.shape[1] - 1 and loss.nats == pytest.approx(mean * loss.tokens, rel=1e-5)


@pytest.mark.parametrize("size", [16, 256])
def test_tokens_and_bytes_are_the_texts_own_whatever_the_window(decoder, size):
    found = passage_losses(LocalBackend(decoder.load().eval(), decoder), Encoding(decoder, size), TEXTS)
    for text, loss in zip(TEXTS, found, strict=True):
        ids = decoder.tokenizer(text)["input_ids"]
        assert (loss.tokens, loss.bytes) == (len(ids) - 1, len(text.encode()) - len(decoder.tokenizer.decode(ids[:1]).encode()))


@pytest.mark.parametrize("fallback", [False, True])
def test_a_first_token_that_is_part_of_a_letter_takes_its_own_bytes_alone(decoder, monkeypatch, fallback):
    """Planted fault: a part of a letter counted as the three bytes of the sign that stands for it when it is decoded."""
    text = "🙂 is a smile"
    tokenizer = decoder.tokenizer
    ids = tokenizer(text, add_special_tokens=False)["input_ids"]
    first = tokenizer.convert_ids_to_tokens(ids[0])
    assert "\ufffd" in tokenizer.decode(ids[:1]) and 1 <= len(first) <= 3
    if fallback:
        names = tokenizer.convert_ids_to_tokens
        monkeypatch.setattr(tokenizer, "convert_ids_to_tokens", lambda one: "<0xF0>" if one == ids[0] else names(one))
    (loss,) = passage_losses(LocalBackend(decoder.load().eval(), decoder), Encoding(decoder, 64), [text])
    _, _, plain = PlainReader(decoder.load().eval(), decoder).passage(text, 64)
    assert loss.bytes == plain == len(text.encode()) - (1 if fallback else len(first))


def test_a_text_with_nothing_to_predict_is_the_users_mistake(decoder, decoding):
    with pytest.raises(UserError, match="the text 'a' has fewer than two tokens"):
        passage_losses(LocalBackend(decoder.load().eval(), decoder), decoding, ["a"])
