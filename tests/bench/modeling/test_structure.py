"""Parts of real models, told by their names."""

import pytest
import torch
from torch import nn
from transformers import (
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    GPT2Config,
    GPT2LMHeadModel,
)

from bench.errors import UserError
from bench.modeling.structure import head_modules, layers, linear, set_dropout


def test_layers_are_the_stack(decoder, encoder):
    assert len(layers(decoder.load())) == 4
    assert len(layers(encoder.load(AutoModelForSequenceClassification))) == 2
    with pytest.raises(UserError, match="has no stack of layers"):
        layers(nn.Linear(2, 2))


def test_a_longer_list_of_several_kinds_is_no_stack():
    model = nn.Module()
    model.parts = nn.ModuleList([nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2), nn.Tanh()])
    model.blocks = nn.ModuleList([nn.Linear(2, 2), nn.Linear(2, 2)])
    assert layers(model) is model.blocks


def test_linear_layers_are_those_of_the_blocks_and_gpt2s_own_kind_too(decoder, encoder):
    # Llama: q, k, v, o, gate, up, down; BERT: q, k, v and three dense layers; GPT-2: c_attn, c_fc and two c_proj.
    assert len(linear(layers(decoder.load()))) == 4 * 7
    assert len(linear(layers(encoder.load(AutoModelForSequenceClassification)))) == 2 * 6
    gpt2 = GPT2LMHeadModel(GPT2Config(vocab_size=50, n_embd=16, n_layer=3, n_head=2, n_positions=32))
    assert len(linear(layers(gpt2))) == 3 * 4


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        (AutoModelForSequenceClassification, ["classifier", "bert.pooler"]),
        (AutoModelForTokenClassification, ["classifier"]),
        (AutoModelForQuestionAnswering, ["qa_outputs"]),
    ],
)
def test_what_stands_around_the_trunk_is_what_is_new(encoder, kind, expected):
    """transformers says which weights a checkpoint did not have."""
    names = head_modules(encoder.load(kind, num_labels=2))
    assert names == expected
    _, said = kind.from_pretrained(encoder.folder, num_labels=2, output_loading_info=True)
    assert said["missing_keys"] and all(key.startswith(tuple(names)) for key in said["missing_keys"])


def test_dropout_is_set_wherever_a_model_keeps_it(decoder, encoder):
    bert, llama = encoder.load(AutoModelForSequenceClassification).train(), decoder.load().train()
    ids = torch.tensor([[5, 6, 7, 8]])
    for model in (bert, llama):
        set_dropout(model, 0.0)
        assert torch.equal(model(ids).logits, model(ids).logits)
        set_dropout(model, 0.4)
        assert not torch.equal(model(ids).logits, model(ids).logits)
    assert {module.p for module in bert.modules() if isinstance(module, nn.Dropout)} == {0.4}
