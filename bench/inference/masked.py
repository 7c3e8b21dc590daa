"""An encoder's loss on masked tokens, read by the base's own masked-LM head over the backbone that is asked."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from transformers import AutoModelForMaskedLM

from bench.inference.embeddings import askable_backbone
from bench.modeling.forward import exact_logits, head_reads
from bench.modeling.models import Model
from bench.tokens.batches import padded
from bench.tokens.encoded import IGNORE, Batch, Encoded


def with_masked_lm_head(model: nn.Module, base: Model) -> nn.Module:
    """The base's masked-LM model with the backbone of `model` in it, in place of its own.

    The head that the base was saved with is the one thing that has not changed since: a new head would know nothing.
    """
    reader: nn.Module = base.load(AutoModelForMaskedLM).eval()
    inner = str(getattr(reader, "base_model_prefix"))  # noqa: B009 (unknown to mypy on nn.Module)
    # The base's own goes before the head is moved, and the model's comes after: nothing may move what is shared out.
    setattr(reader, inner, nn.Identity())
    # In its precision too: a base that is kept in bf16 gives its states so.
    floats = next(weight for weight in model.parameters() if weight.is_floating_point())
    reader.to(floats.device, floats.dtype)
    setattr(reader, inner, askable_backbone(model))
    return reader


@torch.no_grad()
def masked_losses(reader: nn.Module, texts: Sequence[Encoded], pad: int, tokens: int) -> list[float]:
    """Nats of each text, summed over its labelled tokens, which are masked in it; `tokens` bounds a padded batch."""
    device = next(reader.parameters()).device
    nats = [0.0] * len(texts)
    for indices, batch in padded(texts, pad, tokens, device):
        rows, places = (batch.labels != IGNORE).nonzero(as_tuple=True)
        logits = _logits_at(reader, batch, rows, places)
        losses = nn.functional.cross_entropy(logits.float(), batch.labels[rows, places], reduction="none")
        for row, loss in zip(rows.tolist(), losses.tolist(), strict=True):
            nats[indices[row]] += loss
    return nats


def _logits_at(reader: nn.Module, batch: Batch, rows: Tensor, places: Tensor) -> Tensor:
    """(places, vocabulary): made there alone, since few of a text's tokens are masked."""
    with exact_logits(reader), head_reads(reader, lambda states: states[rows, places]):
        logits: Tensor = reader(input_ids=batch.input_ids, attention_mask=batch.attention_mask).logits
    return logits if logits.ndim == 2 else logits[rows, places]  # MobileBERT multiplies by its head's weights itself
