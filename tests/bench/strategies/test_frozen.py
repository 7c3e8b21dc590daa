import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode
from transformers import (
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    BloomConfig,
    DebertaV2Config,
    ElectraConfig,
    GPTNeoXConfig,
    ModernBertConfig,
    OPTConfig,
)

from bench.errors import UserError
from bench.modeling.flops import count_flops
from bench.modeling.forward import loss_sum
from bench.modeling.structure import fixed, layers
from bench.tokens.encoded import Encoded, collate
from bench.tokens.token_counts import padded_counts

SMALL = {"vocab_size": 100, "hidden_size": 64, "num_hidden_layers": 4, "num_attention_heads": 4}
FULL = SMALL | {"intermediate_size": 128, "max_position_embeddings": 128}
OPT = SMALL | {"ffn_dim": 128, "max_position_embeddings": 128}
RELATIVE = {"relative_attention": True, "norm_rel_ebd": "layer_norm", "pos_att_type": ["p2c", "c2p"], "type_vocab_size": 0}
ENDS = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "cls_token_id": 1, "sep_token_id": 2}
KINDS = {  # what stands between the embeddings and the blocks, or is defined in another order than it is gone through
    "opt": OPTConfig(**OPT, word_embed_proj_dim=64),
    "opt with projections": OPTConfig(**OPT, word_embed_proj_dim=32, do_layer_norm_before=False),
    "bloom": BloomConfig(vocab_size=100, hidden_size=64, n_layer=4, n_head=4),
    "electra": ElectraConfig(**FULL, embedding_size=32),
    "deberta": DebertaV2Config(**FULL, **RELATIVE, position_biased_input=False),
    "modernbert": ModernBertConfig(**FULL, **ENDS),
}
DECODERS = ("opt", "opt with projections", "bloom")


@pytest.mark.parametrize(("frozen", "stay"), [(0.0, 0), (0.5, 2), (2 / 3, 3), (1.0, 4), (1, 1), (4, 4), (0, 0)])
def test_frozen_keeps_embeddings_and_the_bottom(adapted, trainable, decoder, frozen, stay):
    """1 is a layer and 1.0 all of them."""
    _, model = adapted("frozen", decoder, frozen=frozen)
    names = trainable(model)
    assert not any("embed" in name for name in names)
    for number in range(4):
        assert any(f"layers.{number}." in name for name in names) == (number >= stay)


def test_a_decoder_s_own_output_matrix_stays(strategy):
    """Untied it may hold more weights than all layers that train, and the row would be another method on another model."""
    config = GPTNeoXConfig(**FULL, tie_word_embeddings=False)
    model = strategy("frozen", "decoder", frozen=2).adapt(AutoModelForCausalLM.from_config(config), "decoder")
    output = model.get_output_embeddings().weight
    assert output is not model.get_input_embeddings().weight and not output.requires_grad
    assert [any(p.requires_grad for p in block.parameters()) for block in layers(model)] == [False, False, True, True]


def test_the_default_is_two_thirds(adapted, decoder):
    _, model = adapted("frozen", decoder)
    still = [block for block in layers(model) if not any(p.requires_grad for p in block.parameters())]
    assert len(still) == round(4 * 2 / 3)


@pytest.mark.parametrize("frozen", [5, 1.5])
def test_more_than_there_is_cannot_stay(adapted, decoder, frozen):
    with pytest.raises(UserError, match=f"strategy 'frozen': frozen={frozen}, but the model has 4 layers"):
        adapted("frozen", decoder, frozen=frozen)


def test_no_gradient_enters_what_is_frozen(strategy, encoder):
    """BERT's embeddings have a norm: trained, it would pull gradients through every frozen layer down to itself."""
    model = encoder.load(AutoModelForSequenceClassification, num_labels=2)
    model = strategy("frozen", "encoder", frozen=1).adapt(model, "encoder")
    entered = []
    layers(model)[0].register_full_backward_hook(lambda *_: entered.append(0))
    layers(model)[1].register_full_backward_hook(lambda *_: entered.append(1))
    model(input_ids=torch.tensor([[5, 6, 7]])).logits.sum().backward()
    assert entered == [1]
    assert all(p.grad is None for p in (*model.bert.embeddings.parameters(), *layers(model)[0].parameters()))
    assert all(p.grad is not None for p in layers(model)[1].parameters())


def states(out):
    return out[0] if isinstance(out, tuple) else out


@pytest.mark.parametrize("name", KINDS)
def test_nothing_below_the_frozen_layers_trains_in_any_kind_of_model(strategy, name):
    """And what never changes lies there. The formula counts what torch counts, but for DeBERTa's products of positions."""
    family, kind = ("decoder", AutoModelForCausalLM) if name in DECODERS else ("encoder", AutoModelForSequenceClassification)
    torch.manual_seed(0)
    model = kind.from_config(KINDS[name], attn_implementation="eager")
    model = strategy("frozen", family, frozen=3).adapt(model, family).train()
    needed = []
    for block in layers(model):
        block.register_forward_hook(
            lambda _, args, out: needed.append((out[0] if isinstance(out, tuple) else out).requires_grad)
        )
    texts = [tuple(range(5, 5 + length)) for length in (60, 40)]
    batch = [Encoded(ids, answer=3) if family == "decoder" else Encoded(ids, labels=(1,)) for ids in texts]
    with FlopCounterMode(display=False) as counter:
        loss_sum(model, collate(batch, 0, torch.device("cpu"))).backward()
    assert needed == [False, False, False, True]
    still = {id(part) for part in fixed(model)}
    assert [id(block) in still for block in layers(model)] == [True, True, True, False]
    if name != "deberta":
        assert count_flops(model).computed(padded_counts(batch)) == pytest.approx(counter.get_total_flops(), rel=0.05)
