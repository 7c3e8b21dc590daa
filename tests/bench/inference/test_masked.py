"""Losses of masked tokens against the definition, text by text."""

import pytest
import torch
from transformers import AutoModel, AutoModelForMaskedLM

from bench.inference.masked import masked_losses, with_masked_lm_head
from bench.tokens.encoded import IGNORE, Encoded


def test_labelled_tokens_are_summed_per_text(encoder):
    """Several masked tokens in one text, and texts of different lengths in one batch."""
    tokenizer, whole = encoder.tokenizer, encoder.load(AutoModelForMaskedLM).eval()
    texts, expected = [], []
    for text, places in (("The capital of France is Paris.", (1, 4)), ("Rain fell on the old town all day.", (2,))):
        ids = tokenizer(text)["input_ids"]
        masked = [tokenizer.mask_token_id if i in places else token for i, token in enumerate(ids)]
        texts.append(Encoded(tuple(masked), labels=tuple(t if i in places else IGNORE for i, t in enumerate(ids))))
        with torch.no_grad():
            logits = whole(torch.tensor([masked])).logits[0].log_softmax(-1)
        expected.append(-sum(logits[i, ids[i]].item() for i in places))
    reader = with_masked_lm_head(encoder.load(AutoModel).eval(), encoder)
    for bound in (1000, 20):
        assert masked_losses(reader, texts, tokenizer.pad_token_id, bound) == pytest.approx(expected, rel=1e-5)
    reader.get_output_embeddings = lambda: torch.nn.Linear(2, 2)  # which the model does not go through
    assert masked_losses(reader, texts, tokenizer.pad_token_id, 1000) == pytest.approx(expected, rel=1e-5)


def test_the_head_has_the_precision_of_a_base_that_is_kept_in_bf16(encoder):
    """Planted fault: the base's states met a head in fp32, and each such run failed."""
    reader = with_masked_lm_head(encoder.load(AutoModel, 16).eval(), encoder)
    assert masked_losses(reader, [Encoded((5, 6, 7, 8), labels=(IGNORE, 9, IGNORE, 3))], 0, 1000)[0] > 0


def test_under_autocast_the_head_computes_in_the_precision_of_its_weights(encoder):
    """In bf16 logits around 20 are an eighth apart, and so would the losses be."""
    reader, seen = with_masked_lm_head(encoder.load(AutoModel).eval(), encoder), []
    head = reader.get_output_embeddings()
    head.register_forward_hook(lambda module, args, out: seen.append((*args, out)))
    with torch.autocast("cpu", torch.bfloat16):
        masked_losses(reader, [Encoded((5, 6, 7, 8), labels=(IGNORE, 9, IGNORE, 3))], 0, 1000)
    [(states, logits)] = seen
    assert len(states) == 2  # at the masked tokens alone
    assert torch.equal(logits, torch.nn.functional.linear(states.float(), head.weight, head.bias))
    assert logits.dtype == torch.float32
