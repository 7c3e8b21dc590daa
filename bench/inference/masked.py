"""An encoder's loss on masked tokens, read by the base's own masked-LM head over the backbone that is asked."""

from collections.abc import Sequence

import torch
from torch import nn
from transformers import AutoModelForMaskedLM

from bench.inference.embeddings import backbone
from bench.modeling.models import Model
from bench.tokens.batches import padded
from bench.tokens.encoded import IGNORE, Encoded


def with_masked_lm_head(model: nn.Module, base: Model) -> nn.Module:
    """The base's masked-LM model with the backbone of `model` in it, in place of its own.

    The head that the base was saved with is the one thing that has not changed since: a new head would know nothing.
    """
    reader: nn.Module = base.load(AutoModelForMaskedLM).eval()
    trunk = str(getattr(reader, "base_model_prefix"))  # noqa: B009 (unknown to mypy on nn.Module)
    # The base's own goes before the head is moved, and the model's comes after: nothing may move what is shared out.
    setattr(reader, trunk, nn.Identity())
    reader.to(next(model.parameters()).device)
    setattr(reader, trunk, backbone(model))
    return reader


@torch.no_grad()
def masked_losses(reader: nn.Module, texts: Sequence[Encoded], pad: int, tokens: int) -> list[float]:
    """Nats of each text, summed over its labelled tokens, which are masked in it; `tokens` bounds a padded batch."""
    device = next(reader.parameters()).device
    nats = [0.0] * len(texts)
    # Logits are computed everywhere here, (tokens, vocabulary) in fp32: half the usual batch.
    for indices, batch in padded(texts, pad, tokens // 2, device):
        logits = reader(input_ids=batch.input_ids, attention_mask=batch.attention_mask).logits
        rows, places = (batch.labels != IGNORE).nonzero(as_tuple=True)
        losses = nn.functional.cross_entropy(logits[rows, places].float(), batch.labels[rows, places], reduction="none")
        for row, loss in zip(rows.tolist(), losses.tolist(), strict=True):
            nats[indices[row]] += loss
    return nats
