"""Parts of real models, told by their names."""

import pytest
import torch
from torch import nn
from transformers import (
    AutoModelForQuestionAnswering,
    AutoModelForSequenceClassification,
    AutoModelForTokenClassification,
    BloomConfig,
    BloomForCausalLM,
    FalconConfig,
    FalconForCausalLM,
    GPT2Config,
    GPT2LMHeadModel,
    OPTConfig,
    OPTForCausalLM,
)

from bench import strategies
from bench.errors import UserError
from bench.modeling.structure import fixed, head_modules, layers, linear, lowest_trained, set_dropout


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
def test_what_stands_around_the_backbone_is_what_is_new(encoder, kind, expected):
    """transformers says which weights a checkpoint did not have."""
    names = head_modules(encoder.load(kind, num_labels=2))
    assert names == expected
    _, said = kind.from_pretrained(encoder.folder, num_labels=2, output_loading_info=True)
    assert said["missing_keys"] and all(key.startswith(tuple(names)) for key in said["missing_keys"])


def test_dropout_is_set_wherever_a_model_keeps_it(decoder, encoder):
    """Bloom and OPT hold it as numbers that no layer for dropout has, and Falcon in its config."""
    bert, llama = encoder.load(AutoModelForSequenceClassification), decoder.load()
    bloom = BloomForCausalLM(BloomConfig(vocab_size=50, hidden_size=16, n_layer=2, n_head=2, hidden_dropout=0.1))
    small = {"hidden_size": 16, "ffn_dim": 32, "num_hidden_layers": 2, "num_attention_heads": 2, "word_embed_proj_dim": 16}
    opt = OPTForCausalLM(OPTConfig(vocab_size=50, max_position_embeddings=32, **small))
    ids = torch.tensor([[5, 6, 7, 8]])
    falcon = FalconForCausalLM(FalconConfig(vocab_size=50, hidden_size=16, num_hidden_layers=2, num_attention_heads=2))
    for model in (bert, llama, bloom, opt, falcon):
        model.train()
        set_dropout(model, 0.0)
        assert torch.equal(model(ids).logits, model(ids).logits)
        set_dropout(model, 0.4)
        assert not torch.equal(model(ids).logits, model(ids).logits)
    assert {module.p for module in bert.modules() if isinstance(module, nn.Dropout)} == {0.4}
    assert (falcon.config.hidden_dropout, falcon.config.attention_dropout) == (0.4, 0.4)


PROMPT = {"peft_type": "PROMPT_TUNING", "num_virtual_tokens": 2}
TOP = {"peft_type": "LORA", "layers_to_transform": [1], "layers_pattern": "layer", "target_modules": ["query"]}
ADAPTED = [  # strategy, settings, blocks that gradients do not pass, and what is fixed
    ("full", {}, 0, []),
    ("frozen", {"frozen": 1}, 1, ["bert.embeddings", "bert.encoder.layer.0"]),
    ("frozen", {"frozen": 1.0}, 2, ["bert.embeddings", "bert.encoder.layer.0", "bert.encoder.layer.1"]),
    ("lora-8bit", {"bits": 32}, 0, ["bert.embeddings"]),
    ("lora-8bit", {"bits": 32, "peft": TOP}, 1, ["bert.embeddings", "bert.encoder.layer.0"]),
    ("lora-8bit", {"bits": 32, "peft": PROMPT}, 0, []),
]


def adapted(library, model, name, settings):
    """The two-layer BERT under a strategy, with a head for two classes."""
    strategy = strategies.load_strategy(library.strategy(name), "encoder", settings)
    return strategy.adapt(model.load(AutoModelForSequenceClassification, num_labels=2), "encoder")


@pytest.mark.parametrize(("name", "settings", "lowest", "_"), ADAPTED)
def test_gradients_pass_from_the_lowest_trained_block_up(library, encoder, name, settings, lowest, _):
    """Held to autograd: a block's output has a gradient from that block on."""
    model, needed = adapted(library, encoder, name, settings), []
    blocks = layers(model)
    for block in blocks:
        block.register_forward_hook(
            lambda _, args, out: needed.append((out[0] if isinstance(out, tuple) else out).requires_grad)
        )
    model(input_ids=torch.tensor([[5, 6, 7]]), attention_mask=torch.ones(1, 3, dtype=torch.long))
    assert lowest_trained(model, blocks) == lowest
    assert needed == [number >= lowest for number in range(2)]


@pytest.mark.parametrize(("name", "settings", "_", "expected"), ADAPTED)
def test_the_fixed_part_is_what_lies_below_all_that_trains(library, encoder, name, settings, _, expected):
    model = adapted(library, encoder, name, settings)
    names = {id(module): name.removeprefix("base_model.model.") for name, module in model.named_modules()}
    found = [names[id(module)] for module in fixed(model)]
    outer = [name for name in found if not any(name.startswith(f"{other}.") for other in found)]
    assert outer == expected
    assert not any(parameter.requires_grad for module in fixed(model) for parameter in module.parameters())
