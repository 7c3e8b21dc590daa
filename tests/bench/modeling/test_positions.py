"""The oracle is the model: it reads as many tokens, and one more has no position."""

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import (
    AutoModel,
    BertConfig,
    BertModel,
    CamembertConfig,
    CamembertForTokenClassification,
    EsmConfig,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LongformerConfig,
    MPNetConfig,
    MPNetModel,
    OPTConfig,
    OPTForCausalLM,
    Phi3Config,
    Phi3ForCausalLM,
    RobertaConfig,
    RobertaForSequenceClassification,
    T5Config,
    T5EncoderModel,
    XLMRobertaConfig,
    XLMRobertaForCausalLM,
)

from bench.modeling.heads import Heads
from bench.modeling.models import Model
from bench.modeling.positions import positions
from bench.tasks.encoding import Encoding

SMALL = {
    "vocab_size": 20,
    "hidden_size": 16,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 16,
    "max_position_embeddings": 34,
}
MADE = [
    (RobertaForSequenceClassification(RobertaConfig(**SMALL)), 32),
    (CamembertForTokenClassification(CamembertConfig(**SMALL)), 32),
    (XLMRobertaForCausalLM(XLMRobertaConfig(**SMALL, is_decoder=True)), 32),
    (MPNetModel(MPNetConfig(**SMALL)), 32),
    (BertModel(BertConfig(**SMALL)), 34),
    (GPT2LMHeadModel(GPT2Config(vocab_size=20, n_embd=16, n_layer=2, n_head=2, n_positions=34)), 34),
    (OPTForCausalLM(OPTConfig(**SMALL, ffn_dim=16, word_embed_proj_dim=16)), 34),
]


@pytest.mark.parametrize(("model", "most"), MADE, ids=lambda value: type(value).__name__)
def test_a_text_of_so_many_tokens_is_read_and_no_longer_one(model, most):
    model.eval()
    assert positions(model) == most
    model(torch.full((1, most), 5))
    with pytest.raises((IndexError, RuntimeError)):
        model(torch.full((1, most + 1), 5))


@pytest.mark.parametrize(("config", "most"), [(LongformerConfig(**SMALL), 32), (EsmConfig(**SMALL, pad_token_id=1), 32)])
def test_a_shape_is_enough(config, most):
    with torch.device("meta"):
        assert positions(AutoModel.from_config(config)) == most


def test_rotary_positions_end_where_the_config_says_and_relative_ones_nowhere():
    with torch.device("meta"):
        assert positions(AutoModel.from_config(LlamaConfig(**SMALL))) == 34
        assert (
            positions(T5EncoderModel(T5Config(vocab_size=20, d_model=16, d_kv=8, d_ff=16, num_layers=2, num_heads=2))) is None
        )


def test_long_range_rotary_positions_end_where_an_answer_would_hang_on_the_texts_beside_it():
    """Planted fault: a text was read otherwise, by nats, beside one that is longer than those of the first pre-training."""
    turned = {"rope_type": "longrope", "rope_theta": 1e4, "short_factor": [1.0] * 4, "long_factor": [3.0] * 4}
    said = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "num_key_value_heads": 2, "initializer_range": 1.0}
    config = Phi3Config(**SMALL, **said, original_max_position_embeddings=16, rope_parameters=turned)
    torch.manual_seed(0)
    model = Phi3ForCausalLM(config).eval()
    assert positions(model) == 16 < config.max_position_embeddings

    def answer(beside: int) -> torch.Tensor:
        """To a text of 8 tokens, padded beside one of so many."""
        ids, mask = torch.arange(beside).repeat(2, 1) % 17 + 3, torch.ones(2, beside, dtype=torch.long)
        mask[0, 8:] = 0
        with torch.no_grad():
            return model(ids, attention_mask=mask).logits[0, :8]

    assert torch.allclose(answer(9), answer(16), atol=1e-5) and not torch.allclose(answer(9), answer(17), atol=1e-5)


def test_heads_and_adapters_leave_them_as_they_are():
    config = RobertaConfig(**SMALL)
    assert positions(Heads([RobertaForSequenceClassification(config) for _ in range(2)])) == 32
    adapted = get_peft_model(
        RobertaForSequenceClassification(config), LoraConfig(target_modules=["query", "position_embeddings"])
    )
    assert positions(adapted) == 32


def test_texts_are_cut_to_them(tmp_path):
    RobertaForSequenceClassification(RobertaConfig(**SMALL)).save_pretrained(tmp_path)
    model = Model("roberta", tmp_path, "0")
    assert (Encoding(model, 256).max_length, Encoding(model, 16).max_length, model.positions) == (32, 16, 32)
