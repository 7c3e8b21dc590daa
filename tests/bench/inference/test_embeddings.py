"""Mean hidden states against transformers' own, one text at a time."""

import pytest
import torch
from transformers import AutoModel, AutoModelForCausalLM, AutoModelForSequenceClassification

from bench.inference.embeddings import askable_backbone, layer_means
from bench.strategies.adapter import Adapter, AdapterHyperparameters
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
            states = askable_backbone(module)(input_ids=torch.tensor([text.ids]), output_hidden_states=True).hidden_states
        expected = torch.stack([state[0].mean(0) for state in states])
        assert torch.allclose(means, expected, atol=1e-5)
    last = layer_means(module, texts, model.tokenizer.pad_token_id, 1000)
    assert torch.allclose(last[:, 0], found[:, -1], atol=1e-6) and last.dtype == torch.float32


def test_the_backbone_is_read_without_its_head_and_with_its_adapters(encoder):
    from peft import LoraConfig, get_peft_model

    headed = encoder.load(AutoModelForSequenceClassification, num_labels=2)
    assert askable_backbone(headed) is headed.bert
    config = LoraConfig(target_modules=["query"], init_lora_weights=False, task_type="SEQ_CLS")
    adapted = get_peft_model(headed, config)
    assert askable_backbone(adapted) is headed.bert
    assert any("lora_" in name for name, _ in askable_backbone(adapted).named_parameters())


KINDS = {
    "PROMPT_TUNING": {"num_virtual_tokens": 3},
    "P_TUNING": {"num_virtual_tokens": 3, "encoder_hidden_size": 8},
    "PREFIX_TUNING": {"num_virtual_tokens": 3},
}


@pytest.fixture
def prompted(request):
    """A model under virtual tokens that are not fresh, and the same model without."""
    import peft

    def made(family, kind):
        model = request.getfixturevalue(family)
        load = {"encoder": (AutoModelForSequenceClassification, {"num_labels": 2}), "decoder": (AutoModelForCausalLM, {})}[
            family
        ]
        torch.manual_seed(0)
        net = model.load(load[0], **load[1])
        strategy = Adapter("own", AdapterHyperparameters(bits=32, learning_rate=1e-3, peft={"peft_type": kind, **KINDS[kind]}))
        adapted = strategy.adapt(net, family).eval()
        assert isinstance(adapted, peft.PeftModel)
        with torch.no_grad():
            for name, weight in adapted.named_parameters():
                if "prompt_encoder" in name:
                    weight.normal_(std=0.5)
        return model, adapted

    return made


@pytest.mark.parametrize("family", ["encoder", "decoder"])
@pytest.mark.parametrize("kind", KINDS)
def test_virtual_tokens_are_read_and_left_out_of_the_mean(prompted, family, kind):
    """By hand: the whole model's hidden states at the text's own places, one text at a time."""
    model, adapted = prompted(family, kind)
    texts = [Encoding(model, 64).whole([text]) for text in TEXTS]
    found = layer_means(adapted, texts, model.tokenizer.pad_token_id, 1000, every_layer=True)
    without = layer_means(adapted.get_base_model(), texts, model.tokenizer.pad_token_id, 1000, every_layer=True)
    assert not torch.allclose(found[:, -1], without[:, -1], atol=1e-3)
    for text, means in zip(texts, found, strict=True):
        with torch.no_grad():
            ids = torch.tensor([text.ids])
            states = adapted(input_ids=ids, attention_mask=torch.ones_like(ids), output_hidden_states=True).hidden_states
        expected = torch.stack([state[0, -len(text.ids) :].mean(0) for state in states])
        assert torch.allclose(means, expected, atol=1e-4)
    base = layer_means(
        model.load(AutoModel if family == "encoder" else AutoModelForCausalLM).eval(),
        texts, model.tokenizer.pad_token_id, 1000, every_layer=True,
    )  # fmt: skip
    assert torch.allclose(without, base, atol=1e-5)


def test_prompt_tuning_is_a_text_of_trained_embeddings(prompted):
    """By hand: the prompt's vectors before the text's embeddings, through the bare backbone."""
    model, adapted = prompted("encoder", "PROMPT_TUNING")
    text = Encoding(model, 64).whole([TEXTS[1]])
    backbone = model.load(AutoModel).eval()
    with torch.no_grad():
        words = backbone.embeddings.word_embeddings(torch.tensor([text.ids]))
        vectors = adapted.prompt_encoder["default"].embedding.weight[None]
        expected = backbone(inputs_embeds=torch.cat([vectors, words], 1)).last_hidden_state[0, 3:].mean(0)
    assert torch.allclose(layer_means(adapted, [text], 0, 1000)[0, 0], expected, atol=1e-5)
