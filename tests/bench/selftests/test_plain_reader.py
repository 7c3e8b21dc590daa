"""The plain reader against transformers' own losses and generation."""

import pytest
import torch
import transformers

from bench.selftests.plain_reader import PlainReader, without_middle


def test_nats_are_those_of_the_models_own_loss(decoder):
    model = decoder.load().eval()
    ids = decoder.tokenizer("a film of great charm and wit")["input_ids"]
    labels = torch.tensor([[-100] * 3 + ids[3:]])
    with torch.no_grad():
        loss = model(torch.tensor([ids]), labels=labels).loss.item()
    reader = PlainReader(model, decoder)
    assert reader.nats(ids[:3], ids[3:]) == pytest.approx(-loss * (len(ids) - 3), rel=1e-5)


def test_what_is_written_is_greedy_and_ends_at_an_end(decoder):
    model = decoder.load().eval()
    reader, ids = PlainReader(model, decoder), decoder.tokenizer("the film")["input_ids"]
    config = transformers.GenerationConfig(pad_token_id=0, eos_token_id=2, max_new_tokens=5, do_sample=False)
    expected = model.generate(torch.tensor([ids]), generation_config=config)[0, len(ids) :].tolist()
    said, chance, margins = reader.written(ids, 5, lambda token: token == 2)
    assert said == expected == reader.likeliest(ids, expected)
    assert chance == pytest.approx(torch.tensor(reader.nats(ids, said)).exp().item(), rel=1e-4)
    assert len(margins) == len(said) and min(margins) > 0
    assert reader.written(ids, 5, lambda token: True)[0] == expected[:1]


def rest_of(guess, ids):
    return guess[len(ids) :] if ids == guess[: len(ids)] else []


def test_a_guess_saves_passes_and_changes_nothing(decoder):
    model = decoder.load().eval()
    reader, ids = PlainReader(model, decoder), decoder.tokenizer("the film")["input_ids"]
    lengths = []
    model.register_forward_hook(lambda _, args, kwargs, out: lengths.append(kwargs["input_ids"].shape[1]), with_kwargs=True)
    plain = reader.written(ids, 6, lambda token: False)
    said, other = plain[0], [(token + 1) % 100 for token in plain[0]]
    assert lengths == [len(ids) + place for place in range(6)]
    guesses = {
        "right": said,
        "longer": [*said, *other],
        "half": said[:3],
        "another end": [*said[:3], *other],
        "wrong": other,
    }
    passes = {}
    for name, guess in guesses.items():
        lengths.clear()
        found = reader.written(ids, 6, lambda token: False, lambda ids, guess=guess: rest_of(guess, ids))
        assert found[0] == said and found[1] == pytest.approx(plain[1], rel=1e-4)
        assert found[2] == pytest.approx(plain[2], abs=1e-4)
        passes[name] = len(lengths)
    assert passes == {"right": 1, "longer": 1, "half": 3, "another end": 3, "wrong": 6}
    assert (
        reader.written(ids, 6, lambda token: token == said[2], lambda ids: said[len(ids) :])[0]
        == said[: said.index(said[2]) + 1]
    )


def test_states_and_masked_logits_are_the_encoders_own(encoder):
    backbone = encoder.load(transformers.AutoModel).eval()
    reader = PlainReader(backbone, encoder)
    text = reader.tokens(["a film of great charm"], 64)
    inputs = {name: torch.tensor([values]) for name, values in text.items()}
    with torch.no_grad():
        out = backbone(**inputs, output_hidden_states=True)
        logits = encoder.load(transformers.AutoModelForMaskedLM).eval()(**inputs).logits[0]
    assert len(reader.states(text)) == len(out.hidden_states)
    assert torch.allclose(reader.embedding(text), out.last_hidden_state[0].mean(0), atol=1e-6)
    assert torch.allclose(reader.masked_logprobs(text).float(), logits.log_softmax(-1), atol=1e-4)


def test_the_masked_lm_head_reads_the_backbone_that_is_asked(encoder):
    backbone = encoder.load(transformers.AutoModel).eval()
    reader = PlainReader(backbone, encoder)
    text = reader.tokens(["a film"], 64)
    before = reader.masked_logprobs(text)
    with torch.no_grad():
        backbone.embeddings.word_embeddings.weight.mul_(2)
    assert not torch.allclose(before, reader.masked_logprobs(text), atol=1e-3)


def test_what_is_too_long_is_cut(encoder):
    reader = PlainReader(torch.nn.Linear(1, 1), encoder)
    whole, cut = (reader.tokens(["one two three four five six"], limit)["input_ids"] for limit in (64, 5))
    assert cut == [*whole[:4], whole[-1]]
    assert len(reader.tokens(["one two three", "four five six"], 6)["input_ids"]) == 6


@pytest.mark.parametrize(("limit", "left"), [(6, [0, 1, 2, 3, 4, 5]), (5, [0, 1, 2, 4, 5]), (4, [0, 1, 4, 5]), (2, [0, 5])])
def test_the_middle_is_lost(limit, left):
    assert without_middle(range(6), limit) == left
