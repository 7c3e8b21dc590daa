"""AdamW by rows is AdamW: against torch's own, on drawn gradients and on a training; and it holds no more than it needs."""

from contextlib import nullcontext

import pytest
import torch
from accelerate import Accelerator
from hypothesis import example, given
from hypothesis import strategies as st
from transformers import (
    BertConfig,
    BertForMaskedLM,
    BertForSequenceClassification,
    CanineConfig,
    CanineForSequenceClassification,
)

from bench.processes import stopping
from bench.specs.checkpoint_every import CheckpointInterval
from bench.strategies.base import Hyperparameters
from bench.tokens.encoded import Encoded
from bench.training import loop
from bench.training.checkpoint import Checkpoint
from bench.training.loop import Padding
from bench.training.optimizer import RowwiseAdamW, by_rows, optimizer
from bench.training.state import TrainingState

VALUES = Hyperparameters(learning_rate=1e-2, warmup=0.0, max_grad_norm=0.5)
VOCABULARY, WIDTH = 24, 5  # of which texts below read a few, or more than half


def embedding(vocabulary=VOCABULARY, width=WIDTH):
    torch.manual_seed(0)
    return torch.nn.Embedding(vocabulary, width)


def texts_of(ids):
    """A text of so many tokens, and what its loss wants of each: another direction each time, so that no moment is simple."""
    generator = torch.Generator().manual_seed(sum(ids))
    return torch.tensor(ids), torch.randn(len(ids), WIDTH, generator=generator)


@given(st.lists(st.lists(st.integers(0, VOCABULARY - 1), min_size=1, max_size=9), min_size=1, max_size=8))
@example([[0, 1], [2], list(range(20)), [0, 23], [1]])  # more than half from the third step on
def test_each_weight_gets_what_torchs_adamw_gives_it(texts):
    """Rows that one step reads and the next does not are moved by their moments all the same."""
    whole, by_row = embedding(), embedding()
    by_row.sparse = True
    optimizers = (
        torch.optim.AdamW(whole.parameters(), lr=0.1, weight_decay=0.0, fused=True),
        RowwiseAdamW(by_row.parameters(), lr=0.1, weight_decay=0.0, fused=True),
    )
    for ids, wanted in map(texts_of, texts):
        for table, adam in zip((whole, by_row), optimizers, strict=True):
            (table(ids) * wanted).sum().backward()
            adam.step(), adam.zero_grad()
    assert torch.allclose(whole.weight, by_row.weight, rtol=1e-5, atol=1e-6)
    unread = sorted({*range(VOCABULARY)} - {token for ids in texts for token in ids})
    assert torch.equal(by_row.weight[unread], embedding().weight[unread])


def classifier(kind=BertForSequenceClassification, **more):
    torch.manual_seed(3)
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    return kind(BertConfig(vocab_size=1000, **shape, **more))


def steps():
    """Six steps over texts of 40 of the words; some come once, and some again after steps without them."""
    generator = torch.Generator().manual_seed(4)
    ids = [torch.randint(100, 140, (8,), generator=generator).tolist() for _ in range(12)]
    examples = [Encoded(tuple(each), labels=(number % 2,)) for number, each in enumerate(ids)]
    return [examples[start : start + 4] for start in range(0, 12, 4)] * 2


def trained(values=VALUES, tokens=10_000, watches=(), model=None, state=None):
    model = model or classifier()
    torch.manual_seed(5)
    state = loop.train(model, steps(), values, Accelerator(cpu=True), Padding(0, tokens), state, watches)
    return model, state.losses


@pytest.mark.parametrize("tokens", [10_000, 16])  # a step at once, and in two micro-batches
def test_a_training_is_the_one_with_whole_gradients(monkeypatch, tokens):
    model, losses = trained(tokens=tokens)
    monkeypatch.setattr(loop, "by_rows", lambda *_: nullcontext())
    other, expected = trained(tokens=tokens)
    assert losses == pytest.approx(expected, rel=1e-5) and losses[-1] < losses[0]
    for name, weight in model.state_dict().items():
        assert torch.allclose(weight, other.state_dict()[name], atol=1e-5), name


def test_moments_are_held_of_the_rows_that_were_read(monkeypatch):
    made, held = [], []
    monkeypatch.setattr(loop, "optimizer", lambda *given: made.append(optimizer(*given)) or made[-1])

    def look(model, state):
        held.append({name: tuple(each.shape) for name, each in made[0].state[words(model).weight].items()})
        assert words(model).weight.grad is None
        return False

    model, _ = trained(watches=[look])
    read = [len({token for step in steps()[: number + 1] for each in step for token in each.ids}) for number in range(6)]
    assert [each["exp_avg"] for each in held] == [each["exp_avg_sq"] for each in held] == [(count, 32) for count in read]
    assert 20 < read[0] < read[-1] <= 40
    assert not words(model).sparse  # as it was, for whoever asks the model for gradients next


def stopped_and_gone_on(monkeypatch, path, number):
    """The training, stopped after so many steps and gone on with."""

    def stop(model, state):
        monkeypatch.setattr(stopping, "stop_signal", lambda: "SIGTERM" if state.step == number else "")
        return False

    def keeper():
        return Checkpoint(path, Accelerator(cpu=True), CheckpointInterval(steps=100), lambda: 0, print)

    with pytest.raises(stopping.Stopped):
        trained(watches=[stop], state=TrainingState(keeper=keeper()))
    monkeypatch.setattr(stopping, "stop_signal", lambda: "")
    model = classifier()
    for weight in model.parameters():
        weight.data.zero_()  # what a training that begins anew would begin with
    state = keeper().resume(model)
    assert state.step == number
    return trained(model=model, state=state)


@pytest.mark.parametrize("number", [1, 4])
def test_it_goes_on_from_a_checkpoint_bit_for_bit(monkeypatch, tmp_path, number):
    whole, expected = trained()
    model, losses = stopped_and_gone_on(monkeypatch, tmp_path / "training.safetensors", number)
    assert losses == expected and len(set(losses)) == 6
    assert all(torch.equal(weight, whole.state_dict()[name]) for name, weight in model.state_dict().items())


def test_another_launcher_goes_on_with_whole_moments(monkeypatch, tmp_path):
    """As one of several processes does, which add up whole gradients."""
    _, expected = trained()
    monkeypatch.setattr(loop, "by_rows", handed_over(2))
    _, losses = stopped_and_gone_on(monkeypatch, tmp_path / "training.safetensors", 3)
    assert losses == pytest.approx(expected, rel=1e-5)


def handed_over(trainings):
    """By rows in the first training, and whole from the next on."""
    remaining = iter(range(trainings))

    def by_rows_at_first(*given):
        return by_rows(*given) if next(remaining) == 0 else nullcontext()

    return by_rows_at_first


def words(model):
    return model.get_input_embeddings()


def is_by_rows(model, values=VALUES, accelerator=None):
    with by_rows(model, values, accelerator or Accelerator(cpu=True)):
        return words(model).sparse


def test_a_model_without_a_table_of_words_trains():
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    torch.manual_seed(0)
    model = CanineForSequenceClassification(CanineConfig(**shape, num_hash_buckets=64, downsampling_rate=2))
    state = loop.train(model, steps()[:2], VALUES, Accelerator(cpu=True), Padding(0, 10_000))
    assert len(state.losses) == 2


def test_a_gradient_of_all_rows_takes_the_moments_of_some_along():
    """Else torch would read moments beyond their end."""
    by_row, whole = embedding(), embedding()
    optimizers = (
        RowwiseAdamW(by_row.parameters(), lr=0.1, weight_decay=0.0, fused=True),
        torch.optim.AdamW(whole.parameters(), lr=0.1, weight_decay=0.0, fused=True),
    )
    for sparse, ids in ((True, [3, 4]), (False, [5]), (True, [3])):
        text, wanted = texts_of(ids)
        by_row.sparse = sparse
        for table, adam in zip((by_row, whole), optimizers, strict=True):
            (table(text) * wanted).sum().backward()
            adam.step(), adam.zero_grad()
    assert torch.allclose(whole.weight, by_row.weight, rtol=1e-5, atol=1e-6)
    assert optimizers[0].state[by_row.weight]["exp_avg"].shape == (VOCABULARY, WIDTH)


def test_only_where_nothing_else_hangs_on_the_other_rows(monkeypatch):
    assert is_by_rows(classifier())
    assert not is_by_rows(classifier(), VALUES.model_copy(update={"weight_decay": 0.1}))  # which moves every row
    assert not is_by_rows(classifier(BertForMaskedLM, tie_word_embeddings=True))  # whose head reads every row
    assert is_by_rows(classifier(BertForMaskedLM, tie_word_embeddings=False))
    frozen = classifier()
    words(frozen).requires_grad_(False)
    assert not is_by_rows(frozen)
    counting = classifier()
    words(counting).scale_grad_by_freq = True  # which torch knows of whole gradients alone
    assert not is_by_rows(counting)
    monkeypatch.setattr("bench.training.optimizer.parallelism", lambda _: "ddp")
    assert not is_by_rows(classifier())


def test_weights_are_decayed_and_norms_and_biases_are_not():
    model = classifier()
    adam = optimizer(model, VALUES.model_copy(update={"weight_decay": 0.3}))
    decays = {id(weight): group["weight_decay"] for group in adam.param_groups for weight in group["params"]}
    found = {name: decays[id(weight)] for name, weight in model.named_parameters()}
    assert found == {name: 0.0 if name.endswith("bias") or "LayerNorm" in name else 0.3 for name in found}
