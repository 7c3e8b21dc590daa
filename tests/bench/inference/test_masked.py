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
