"""Gradients of word embeddings that the head shares are torch's own, though no whole gradient is made of the rows read."""

from contextlib import nullcontext

import pytest
import torch
from accelerate import Accelerator
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import BertConfig, BertForSequenceClassification, LlamaConfig, LlamaForCausalLM

from bench.modeling.forward import loss_sum
from bench.strategies.base import Hyperparameters
from bench.tokens.encoded import Encoded, collate
from bench.training import loop, tied_words
from bench.training.tied_words import rows_added_in_place

SHAPE = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
CPU = torch.device("cpu")


def decoder(tied=True, **more):
    torch.manual_seed(3)
    return LlamaForCausalLM(LlamaConfig(vocab_size=200, tie_word_embeddings=tied, **SHAPE, **more))


def texts(seed):
    """Of unlike lengths, so that padding is read; some ids come twice."""
    generator = torch.Generator().manual_seed(seed)
    return [Encoded(tuple(torch.randint(3, 40, (n,), generator=generator).tolist()), answer=2) for n in (9, 5, 7)]


class Calls(TorchDispatchMode):
    def __init__(self):
        super().__init__()
        self.names = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        self.names.append(func.overloadpacket.__name__)
        return func(*args, **(kwargs or {}))


def gradients(model, context):
    """After two micro-batches, and what torch was asked for."""
    with context, Calls() as calls:
        for seed in (1, 2):
            loss_sum(model, collate(texts(seed), 0, CPU)).backward()
    return {name: weight.grad for name, weight in model.named_parameters()}, calls.names


@pytest.mark.parametrize("padding", [None, 0, 7], ids=["none", "pad", "a word"])
def test_gradients_are_torchs_without_a_whole_one_of_the_rows_read(padding):
    model = decoder(pad_token_id=padding)
    found, asked = gradients(model, rows_added_in_place(model, Accelerator(cpu=True)))
    wanted, theirs = gradients(decoder(pad_token_id=padding), nullcontext())
    assert found.keys() == wanted.keys() and "lm_head.weight" not in found
    for name, gradient in wanted.items():
        assert torch.allclose(found[name], gradient, rtol=1e-5, atol=1e-6), name
    assert "embedding_dense_backward" in theirs and "embedding_dense_backward" not in asked
    table = model.get_input_embeddings()
    assert "forward" not in vars(table) and not table.weight._post_accumulate_grad_hooks  # as it was


@pytest.mark.parametrize("swapped", [False, True])
def test_a_training_is_the_one_with_whole_gradients(monkeypatch, swapped):
    """Also where a weight that is moved to its device becomes another tensor, and leaves its hooks behind."""
    monkeypatch.setattr(torch.__future__, "_swap_module_params_on_conversion", swapped)

    def trained():
        model, values = decoder(), Hyperparameters(learning_rate=1e-2)
        return loop.train(model, [texts(seed) for seed in range(6)], values, Accelerator(cpu=True), loop.Padding(0, 16)).losses

    found = trained()
    monkeypatch.setattr(loop, "rows_added_in_place", lambda *_: nullcontext())
    assert found == pytest.approx(trained(), rel=1e-6) and found[-1] < found[0]


def test_nothing_is_left_of_a_pass_that_memory_broke_off():
    model, batch = decoder(), collate(texts(1), 0, CPU)

    def broken(gradient):
        raise MemoryError

    with rows_added_in_place(model, Accelerator(cpu=True)):
        hook = model.get_input_embeddings().weight.register_hook(broken)
        with pytest.raises(MemoryError):
            loss_sum(model, batch).backward()
        hook.remove()
        model.zero_grad()
        loss_sum(model, batch).backward()
    other = decoder()
    loss_sum(other, batch).backward()
    assert torch.allclose(*(each.get_input_embeddings().weight.grad for each in (model, other)), rtol=1e-5, atol=1e-6)


def in_place(model):
    with rows_added_in_place(model, Accelerator(cpu=True)):
        return "forward" in vars(model.get_input_embeddings())


def test_only_where_the_head_shares_them_and_they_train(monkeypatch):
    assert in_place(decoder())
    assert not in_place(decoder(tied=False))
    assert not in_place(BertForSequenceClassification(BertConfig(vocab_size=200, **SHAPE)))
    frozen = decoder()
    frozen.get_input_embeddings().requires_grad_(False)
    assert not in_place(frozen)
    third = decoder()
    third.beside = torch.nn.Linear(32, 200)
    third.beside.weight = third.get_input_embeddings().weight
    assert not in_place(third)
    monkeypatch.setattr(tied_words, "parallelism", lambda _: "ddp")  # which waits for whole gradients
    assert not in_place(decoder())
