"""Gradients are clipped as torch's own clipping does it, and a training is the one that accelerate's clipping gives."""

from contextlib import nullcontext

import pytest
import torch
from accelerate import Accelerator
from hypothesis import given
from hypothesis import strategies as st
from transformers import BertConfig, BertForSequenceClassification, LlamaConfig, LlamaForCausalLM

from bench.strategies.base import Hyperparameters
from bench.tokens.encoded import Encoded
from bench.training import clipping, loop
from bench.training.clipping import clip
from bench.training.optimizer import RowwiseAdamW

SHAPE = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
VOCABULARY, WIDTH = 24, 5


class Words(torch.nn.Module):
    """Embeddings and a matrix behind them: by rows, the one has a gradient of rows and the other a whole one."""

    def __init__(self, sparse):
        super().__init__()
        torch.manual_seed(0)
        self.table, self.head = torch.nn.Embedding(VOCABULARY, WIDTH, sparse=sparse), torch.nn.Linear(WIDTH, 3)

    def forward(self, ids):
        return self.head(self.table(ids)).square().sum()


@given(st.lists(st.integers(0, VOCABULARY - 1), min_size=1, max_size=20), st.sampled_from([1e-3, 0.5, 1e6]))
def test_what_adamw_gets_is_what_torchs_clipping_leaves(ids, max_norm):
    """After one step its first moment is a tenth of that."""
    moments = []
    for by_row in (False, True):
        model = Words(by_row)
        adam = RowwiseAdamW(model.parameters(), lr=0.1, weight_decay=0.0, fused=True)
        for _ in range(2):  # two micro-batches of one step
            model(torch.tensor(ids)).backward()
        clip(model.parameters(), adam, Accelerator(cpu=True), max_norm)
        adam.step()
        assert adam.grad_scale is None  # of that step alone
        state = adam.state[model.table.weight]
        table = torch.zeros(VOCABULARY, WIDTH)
        table[state.get("rows", slice(None))] = state["exp_avg"]
        moments.append([table, adam.state[model.head.weight]["exp_avg"], adam.state[model.head.bias]["exp_avg"]])
    model = Words(False)
    (2 * model(torch.tensor(ids))).backward()
    torch.nn.utils.clip_grad_norm_(model.parameters(), max_norm)
    wanted = [model.table.weight.grad, model.head.weight.grad, model.head.bias.grad]
    for found in moments:
        for moment, gradient in zip(found, wanted, strict=True):
            assert torch.allclose(10 * moment, gradient, rtol=1e-5, atol=1e-6 * max_norm)


def encoder():
    torch.manual_seed(3)
    config = BertConfig(vocab_size=1000, hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0, **SHAPE)
    return BertForSequenceClassification(config), [{"labels": (number % 2,)} for number in range(80)]


def decoder():
    torch.manual_seed(3)
    return LlamaForCausalLM(LlamaConfig(vocab_size=200, tie_word_embeddings=True, **SHAPE)), [{"answer": 3}] * 80


def trained(make, max_norm, decay):
    """Losses of 20 steps, each in several micro-batches."""
    model, more = make()
    values = Hyperparameters(learning_rate=1e-3, warmup=0.0, max_grad_norm=max_norm, weight_decay=decay)
    generator = torch.Generator().manual_seed(4)
    ids = [tuple(torch.randint(100, 200, (8,), generator=generator).tolist()) for _ in more]
    examples = [Encoded(text, **each) for text, each in zip(ids, more, strict=True)]
    steps = [examples[start : start + 4] for start in range(0, 80, 4)]
    return loop.train(model, steps, values, Accelerator(cpu=True), loop.Padding(0, 16)).losses


@pytest.mark.parametrize("decay", [0.0, 0.1], ids=["by rows", "whole"])
@pytest.mark.parametrize(("make", "max_norm"), [(encoder, 0.3), (decoder, 2.55)])
def test_losses_are_those_of_accelerates_clipping(monkeypatch, make, max_norm, decay):
    found, norms = trained(make, max_norm, decay), []

    def accelerates(weights, adam, accelerator, max_norm):
        norms.append(float(accelerator.clip_grad_norm_(weights, max_norm)))

    monkeypatch.setattr(loop, "clip", accelerates)
    monkeypatch.setattr(loop, "by_rows", lambda *_: nullcontext())  # accelerate knows no gradients of some rows
    assert found == pytest.approx(trained(make, max_norm, decay), rel=1e-6)
    assert sum(norm > max_norm for norm in norms) in range(5, 16)  # some steps are clipped, and some are not


@pytest.mark.parametrize(("kind", "own"), [("none", True), ("ddp", True), ("fsdp2", False), ("zero2", False)])
def test_where_gradients_are_shared_out_the_launcher_clips(monkeypatch, kind, own):
    model, asked = Words(False), []
    adam, accelerator = RowwiseAdamW(model.parameters(), lr=0.1, fused=True), Accelerator(cpu=True)
    model(torch.tensor([1, 2])).backward()
    monkeypatch.setattr(clipping, "parallelism", lambda _: kind)
    monkeypatch.setattr(accelerator, "clip_grad_norm_", lambda weights, norm: asked.append((len(list(weights)), norm)))
    clip(model.parameters(), adam, accelerator, 0.1)
    assert (asked == []) == (adam.grad_scale is not None) == own
    assert own or asked == [(3, 0.1)]
