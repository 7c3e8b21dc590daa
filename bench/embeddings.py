"""Sentence embeddings of an encoder's trunk: the mean of the last hidden states over real tokens, (texts, hidden)."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from bench.batches import by_length
from bench.encoded import IGNORE, collate
from bench.encoding import Encoding
from bench.forward import unwrapped
from bench.windows import whole


def trunk(model: nn.Module) -> nn.Module:
    """The encoder under its head, adapters included."""
    inner: Any = unwrapped(model)
    return getattr(inner, inner.base_model_prefix, inner)


@torch.inference_mode()
def embed(model: nn.Module, encoding: Encoding, texts: Sequence[Sequence[str]], tokens: int) -> Tensor:
    """Embed texts, or pairs of texts, in fp32."""
    tokenizer = encoding.model.tokenizer
    encoded = [replace(whole(tokenizer, encoding.max_length, text), labels=(IGNORE,)) for text in texts]
    device = next(model.parameters()).device
    found: list[Tensor] = [torch.empty(0)] * len(texts)
    for batch in by_length([len(item.ids) for item in encoded], tokens):
        padded = collate([encoded[index] for index in batch], tokenizer.pad_token_id, device)
        types = {} if padded.types is None else {"token_type_ids": padded.types}
        out = trunk(model)(input_ids=padded.input_ids, attention_mask=padded.attention_mask, **types)
        hidden = out.last_hidden_state.float()
        mask = padded.attention_mask[..., None].float()
        for index, mean in zip(batch, (hidden * mask).sum(1) / mask.sum(1), strict=True):
            found[index] = mean.cpu()
    return torch.stack(found)
