"""What is read once and gone on from, against whole sequences read alone by the model's plain forward pass."""

import pytest
import torch
from transformers import GPTNeoConfig, GPTNeoForCausalLM, MistralConfig, MistralForCausalLM, MptConfig, MptForCausalLM

from bench.inference.likelihood import likelihoods
from bench.inference.prefix_cache import PREFIX_BOUND_RATIO, bounded_batches, readings
from bench.tokens.shared_prefixes import Branch, root

CPU = torch.device("cpu")


def drawn(length, seed):
    generator = torch.Generator().manual_seed(seed)
    return tuple(torch.randint(3, 1000, (length,), generator=generator).tolist())


@pytest.fixture(scope="module")
def sequences():
    """Of an instruction, one of three examples of different lengths, one of two texts after it, and a question each."""
    examples = [drawn(length, length) for length in (9, 14, 23)]
    return [(*drawn(40, 0), *examples[n % 3], *drawn(30, n % 6), *drawn(1 + n % 7, 100 + n)) for n in range(60)]


def test_each_beginning_is_what_the_model_makes_of_it_alone(decoder, sequences):
    model = decoder.load().eval()
    tree = root(sequences, [len(sequence) - 1 for sequence in sequences])
    assert [len(below.branches) for branch in tree.branches for below in branch.branches] == [2, 2, 2]
    depths = set()
    with torch.no_grad():
        for reading, leaves in readings(model, tree, 0, 300):
            for row, number, read in leaves:
                assert reading is not None
                depths.add(read)
                own = reading.mask[row].bool()
                assert tuple(reading.ids[row][own].tolist()) == sequences[number][:read]
                alone = model(torch.tensor([sequences[number][:read]]), use_cache=True)
                assert torch.allclose(reading.logits[row, 0], alone.logits[0, -1], atol=1e-5)
                for layer, each in enumerate(alone.past_key_values.layers):
                    keys, values = reading.state(layer, torch.tensor([row]))
                    assert torch.allclose(keys[0][:, own], each.keys[0], atol=1e-5)
                    assert torch.allclose(values[0][:, own], each.values[0], atol=1e-5)
    assert depths == {79, 84, 93}


def test_going_on_from_a_reading_changes_nothing_in_it(decoder, sequences):
    model = decoder.load().eval()
    ((_, _), (reading, _)) = list(readings(model, Branch((), [], [Branch(sequences[0][:40])]), 0, 300))
    before = [(keys.clone(), values.clone()) for keys, values in reading.own]
    rows = torch.zeros(5, dtype=torch.long)
    with torch.no_grad():
        cache = reading.cache(rows)
        for _ in range(2):
            model(torch.full((5, 1), 7), past_key_values=cache, use_cache=True)
    assert cache.get_seq_length() == 42
    for (keys, values), (first, second) in zip(reading.own, before, strict=True):
        assert torch.equal(keys, first) and torch.equal(values, second)
    assert reading.cache(rows).get_seq_length() == 40


def test_copies_of_beginnings_are_bounded(decoder, sequences):
    model = decoder.load().eval()
    (_, (reading, _)) = list(readings(model, Branch((), [], [Branch(sequences[0][:40])]), 0, 300))
    batches = bounded_batches([10] * 100, reading, 200)
    assert max(map(len, batches)) * 50 <= PREFIX_BOUND_RATIO * 200 and len(bounded_batches([10] * 100, None, 2000)) == 1


@pytest.mark.parametrize(
    "model",
    [
        MistralForCausalLM(
            MistralConfig(
                vocab_size=1000,
                hidden_size=32,
                intermediate_size=64,
                num_hidden_layers=2,
                num_attention_heads=2,
                num_key_value_heads=2,
                sliding_window=8,
            )
        ),
        GPTNeoForCausalLM(
            GPTNeoConfig(
                vocab_size=1000,
                hidden_size=32,
                num_layers=2,
                num_heads=2,
                attention_types=[[["global", "local"], 1]],
                window_size=8,
            )
        ),
        MptForCausalLM(MptConfig(vocab_size=1000, d_model=32, n_layers=2, n_heads=2, max_seq_len=256)),
    ],
    ids=["sliding windows", "local attention", "ALiBi by columns"],
)
def test_models_that_count_columns_are_asked_the_plain_way(model, sequences):
    for parameter in model.parameters():  # far enough from 0 that attention matters
        parameter.data.mul_(4 if parameter.ndim > 1 else 1)
    model.eval()
    for answer, context in zip(likelihoods(model, [(s, (5,)) for s in sequences[:30]], 0, 400), sequences, strict=False):
        with torch.no_grad():
            alone = model(torch.tensor([context])).logits[0, -1].log_softmax(-1)[5].item()
        assert answer.total == pytest.approx(alone, abs=1e-4)
