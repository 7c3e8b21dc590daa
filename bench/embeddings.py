"""Sentence embeddings of an encoder's trunk: the mean of the last hidden states over real tokens, (texts, hidden)."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from bench.batches import by_length
from bench.encoding import Encoded, Encoding, collate
from bench.forward import unwrapped


def trunk(model: nn.Module) -> nn.Module:
    """The encoder under its head, adapters included."""
    inner: Any = unwrapped(model)
    return getattr(inner, inner.base_model_prefix, inner)


@torch.inference_mode()
def embed(model: nn.Module, encoding: Encoding, texts: Sequence[Sequence[str]], tokens: int) -> Tensor:
    """Embed texts, or pairs of texts, in fp32."""
    tokenizer = encoding.model.tokenizer
    encoded = [
        Encoded(tuple(tokenizer(*text, truncation=True, max_length=encoding.max_length)["input_ids"]), head=(0, 1))
        for text in texts
    ]
    device = next(model.parameters()).device
    found: list[Tensor] = [torch.empty(0)] * len(texts)
    for batch in by_length([len(item.ids) for item in encoded], tokens):
        padded = collate([encoded[index] for index in batch], tokenizer.pad_token_id, device, outputs=1)
        hidden = trunk(model)(input_ids=padded.input_ids, attention_mask=padded.attention_mask).last_hidden_state.float()
        mask = padded.attention_mask[..., None].float()
        for index, mean in zip(batch, (hidden * mask).sum(1) / mask.sum(1), strict=True):
            found[index] = mean.cpu()
    return torch.stack(found)
