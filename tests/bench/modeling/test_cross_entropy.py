"""The loss in chunks is the loss of all logits at once, with its gradients, and holds no more than a chunk of logits."""

from dataclasses import replace

import pytest
import torch
from accelerate import Accelerator
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from transformers import Gemma2Config, Gemma2ForCausalLM, LlamaConfig, LlamaForCausalLM

from bench.modeling import cross_entropy
from bench.modeling.forward import loss_sum
from bench.strategies.adapter import Adapter, AdapterHyperparameters
from bench.strategies.base import Hyperparameters
from bench.tokens.encoded import Encoded, collate
from bench.training import loop

SHAPE = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
WORDS = 300
CPU = torch.device("cpu")


def decoder(tied=True):
    torch.manual_seed(3)
    return LlamaForCausalLM(LlamaConfig(vocab_size=WORDS, tie_word_embeddings=tied, **SHAPE))


def biased():
    model = decoder(tied=False)
    torch.manual_seed(4)
    model.lm_head = nn.Linear(32, WORDS)
    return model


def adapted():
    config = {"peft_type": "LORA", "r": 4}
    return Adapter("lora", AdapterHyperparameters(learning_rate=1e-2, bits=32, peft=config)).adapt(decoder(), "decoder")


def capped():
    torch.manual_seed(3)
    config = Gemma2Config(vocab_size=WORDS, head_dim=16, num_key_value_heads=2, final_logit_softcapping=1.0, **SHAPE)
    return Gemma2ForCausalLM(config)


def texts(weights=(1.0, 1.0, 1.0)):
    generator = torch.Generator().manual_seed(5)
    lengths, answers = (30, 12, 21), (29, 4, 20)
    drawn = [tuple(torch.randint(3, WORDS, (length,), generator=generator).tolist()) for length in lengths]
    return [Encoded(ids, answer=a, weight=w) for ids, a, w in zip(drawn, answers, weights, strict=True)]


class Largest(TorchDispatchMode):
    """The most numbers of any result with a column for each word, the head itself turned over left out."""

    most = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        result = func(*args, **(kwargs or {}))
        for each in tree_leaves(result):
            if isinstance(each, torch.Tensor) and each.shape[-1:] == (WORDS,) and each.numel() != WORDS * SHAPE["hidden_size"]:
                self.most = max(self.most, each.numel())
        return result


def found(model, batch, smoothing=0.0):
    """The loss, the gradients, and the most logits at once."""
    with Largest() as largest:
        loss = loss_sum(model, batch, smoothing)
        (0.25 * loss).backward()
    return loss.item(), {n: p.grad for n, p in model.named_parameters() if p.grad is not None}, largest.most


@pytest.fixture
def in_chunks(monkeypatch):
    """Of ten targets."""
    return lambda: monkeypatch.setattr(cross_entropy, "CHUNK_LOGITS", 10 * WORDS)


@pytest.mark.parametrize("smoothing", [0.0, 0.1])
@pytest.mark.parametrize("weights", [(1.0, 1.0, 1.0), (0.5, 2.0, 1.0)], ids=["alike", "weighted"])
@pytest.mark.parametrize("several", [1, 3])  # of one text each place has a target
@pytest.mark.parametrize("make", [decoder, lambda: decoder(tied=False), biased, adapted])
def test_loss_and_gradients_are_those_of_all_logits_at_once(in_chunks, make, several, weights, smoothing):
    step = texts(weights)[:several]
    whole, gradients, all_logits = found(make(), collate(step, 0, CPU), smoothing)
    in_chunks()
    loss, parts, logits = found(make(), collate(step, 0, CPU), smoothing)
    assert (all_logits, logits) == (sum(each.answer for each in step) * WORDS, 10 * WORDS)
    assert loss == pytest.approx(whole, rel=1e-6)
    assert parts.keys() == gradients.keys()
    for name, gradient in gradients.items():
        assert torch.allclose(parts[name], gradient, rtol=1e-5, atol=1e-5), name


def test_under_autocast_too(in_chunks):
    batch, model, other = collate(texts(), 0, CPU), decoder(), decoder()
    with torch.autocast("cpu", torch.bfloat16):
        whole, gradients, _ = found(model, batch)
        in_chunks()
        loss, parts, logits = found(other, batch)
    assert logits == 10 * WORDS and loss == pytest.approx(whole, rel=1e-5)
    for name, gradient in gradients.items():
        assert (parts[name] - gradient).norm() < 0.02 * gradient.norm(), name  # each chunk rounds its own sum to bf16


def test_a_training_in_chunks_is_the_one_with_all_logits(in_chunks):
    def losses():
        values = Hyperparameters(learning_rate=1e-3)
        return loop.train(decoder(), [texts()] * 6, values, Accelerator(cpu=True), loop.Padding(0, 10_000)).losses

    whole = losses()
    in_chunks()
    assert losses() == pytest.approx(whole, rel=1e-6) and whole[-1] < whole[0]


class Launched(nn.Module):
    """As DDP and DeepSpeed wrap a model."""

    def __init__(self, module):
        super().__init__()
        self.module = module

    def forward(self, **given):
        return self.module(**given)


def scaled():
    """A model that does more with its logits, though nothing in its config says so."""
    model = decoder()
    forward = model.forward

    def tempered(logits_to_keep=0, position_ids=None, **given):
        out = forward(logits_to_keep=logits_to_keep, position_ids=position_ids, **given)
        return replace(out, logits=out.logits / 2)

    model.forward = tempered
    return model


@pytest.mark.parametrize("make", [capped, scaled, lambda: Launched(decoder())], ids=["capped", "scaled", "launched"])
def test_where_more_stands_between_states_and_loss_all_logits_are_made(in_chunks, make):
    batch = collate(texts(), 0, CPU)
    whole, gradients, all_logits = found(make(), batch)
    in_chunks()
    loss, parts, logits = found(make(), batch)
    assert logits >= all_logits == 53 * WORDS and loss == pytest.approx(whole, rel=1e-6)
    assert all(torch.allclose(parts[name], gradient, atol=1e-5) for name, gradient in gradients.items())
