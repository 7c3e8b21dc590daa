"""A model in bf16 that is read in fp32 gives what its weights in fp32 give, bit for bit."""

import pytest
import torch
from torch import nn
from transformers import AutoModel, AutoModelForCausalLM, GPT2Config, GPT2LMHeadModel, OPTConfig, OPTForCausalLM
from transformers.pytorch_utils import Conv1D

from bench.modeling.upcast import InFp32

IDS = torch.tensor([[5, 6, 7, 8, 9]])
TINY = {"vocab_size": 50, "num_hidden_layers": 2, "num_attention_heads": 2}


def tiny(name, decoder, encoder):
    torch.manual_seed(0)
    if name == "opt":
        return OPTForCausalLM(OPTConfig(**TINY, hidden_size=16, ffn_dim=32, word_embed_proj_dim=16, max_position_embeddings=32))
    if name == "gpt2":
        return GPT2LMHeadModel(GPT2Config(vocab_size=50, n_embd=16, n_layer=2, n_head=2, n_positions=32))
    return decoder.load(AutoModelForCausalLM) if name == "llama" else encoder.load(AutoModel)


@pytest.mark.parametrize("name", ["llama", "bert", "opt", "gpt2"])
@torch.no_grad()
def test_it_computes_what_the_same_weights_in_fp32_compute(name, decoder, encoder):
    model = tiny(name, decoder, encoder).eval().to(torch.bfloat16)
    with InFp32():
        found = model(input_ids=IDS, output_hidden_states=True)
    rounded = model(input_ids=IDS, output_hidden_states=True)
    expected = model.float()(input_ids=IDS, output_hidden_states=True)
    for own, wanted in zip(found.hidden_states, expected.hidden_states, strict=True):
        assert own.dtype == torch.float32 and torch.equal(own, wanted)
    assert name == "bert" or torch.equal(found.logits, expected.logits)
    assert not torch.equal(rounded.hidden_states[-1].float(), expected.hidden_states[-1])


def test_weights_stay_as_they_are_kept():
    layer = nn.Linear(3, 3).to(torch.bfloat16)
    with InFp32():
        out = layer(torch.ones(1, 3))
    assert out.dtype == torch.float32 and layer.weight.dtype == torch.bfloat16
    with InFp32():
        assert Conv1D(4, 3).to(torch.bfloat16)(torch.ones(2, 3)).dtype == torch.float32


def test_deepspeeds_own_linear_layer_is_widened_too(monkeypatch):
    """It stays in torch once a model was shared out under ZeRO-3, and multiplies texts of several tokens by `matmul`."""
    linear = pytest.importorskip("deepspeed.runtime.zero.linear")
    layer, states = nn.Linear(3, 4).to(torch.bfloat16), torch.randn(2, 5, 3)
    wanted = nn.functional.linear(states, layer.weight.float(), layer.bias.float())
    monkeypatch.setattr(nn.functional, "linear", linear.zero3_linear_wrap)
    with InFp32(), torch.no_grad():
        found = layer(states)
    assert found.dtype == torch.float32 and torch.allclose(found, wanted, atol=1e-6)


def test_fp32_is_left_alone():
    layer, inputs = nn.Linear(3, 3), torch.ones(1, 3)
    with InFp32():
        inside = layer(inputs)
    assert torch.equal(inside, layer(inputs))
