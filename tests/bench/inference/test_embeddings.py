"""Mean hidden states against transformers' own, one text at a time."""

import pytest
import torch
from transformers import AutoModel, AutoModelForSequenceClassification

from bench.inference.embeddings import backbone, layer_means
from bench.tasks.encoding import Encoding

TEXTS = ("rain", "a film about a man and his dog", "it was long and dull and then it ended")


@pytest.mark.parametrize("family", ["encoder", "decoder"])
def test_they_are_means_over_a_texts_own_tokens_whatever_stands_beside_it(request, family):
    model = request.getfixturevalue(family)
    module = (model.load(AutoModel) if family == "encoder" else model.load()).eval()
    texts = [Encoding(model, 64).whole([text]) for text in TEXTS]
    found = layer_means(module, texts, model.tokenizer.pad_token_id, 1000, every_layer=True)
    for text, means in zip(texts, found, strict=True):
        with torch.no_grad():
            states = backbone(module)(input_ids=torch.tensor([text.ids]), output_hidden_states=True).hidden_states
        expected = torch.stack([state[0].mean(0) for state in states])
        assert torch.allclose(means, expected, atol=1e-5)
    last = layer_means(module, texts, model.tokenizer.pad_token_id, 1000)
    assert torch.allclose(last[:, 0], found[:, -1], atol=1e-6) and last.dtype == torch.float32


def test_the_backbone_is_read_without_its_head_and_with_its_adapters(encoder):
    from peft import LoraConfig, get_peft_model

    headed = encoder.load(AutoModelForSequenceClassification, num_labels=2)
    assert backbone(headed) is headed.bert
    config = LoraConfig(target_modules=["query"], init_lora_weights=False, task_type="SEQ_CLS")
    adapted = get_peft_model(headed, config)
    assert backbone(adapted) is headed.bert
    assert any("lora_" in name for name, _ in backbone(adapted).named_parameters())
