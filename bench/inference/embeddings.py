"""Hidden states of a model's trunk as text embeddings: their mean over real tokens, the last layer's or every layer's."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn

from bench.modeling.forward import unwrapped
from bench.tasks.encoding import Encoding
from bench.tokens.batches import padded
from bench.tokens.encoded import IGNORE
from bench.tokens.windows import whole


def trunk(model: nn.Module) -> nn.Module:
    """The model under its head, adapters included."""
    inner: Any = unwrapped(model)
    return getattr(inner, inner.base_model_prefix, inner)


def embed(model: nn.Module, encoding: Encoding, texts: Sequence[Sequence[str]], tokens: int) -> Tensor:
    """Embed texts, or pairs of texts, in fp32: (texts, hidden)."""
    return layer_means(model, encoding, texts, tokens)[:, -1]


@torch.inference_mode()
def layer_means(
    model: nn.Module, encoding: Encoding, texts: Sequence[Sequence[str]], tokens: int, every: bool = False
) -> Tensor:
    """Mean hidden state of each text in fp32: (texts, layers + 1, hidden) with `every`, the embeddings first; else the last
    layer's alone, (texts, 1, hidden)."""
    tokenizer = encoding.model.tokenizer
    encoded = [replace(whole(tokenizer, encoding.max_length, text), labels=(IGNORE,)) for text in texts]
    device = next(model.parameters()).device
    found: list[Tensor] = [torch.empty(0)] * len(texts)
    for indices, batch in padded(encoded, tokenizer.pad_token_id, tokens, device):
        types = {} if batch.types is None else {"token_type_ids": batch.types}
        inputs = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask, **types}
        out = trunk(model)(**inputs, output_hidden_states=every)
        states = out.hidden_states if every else [out.last_hidden_state]
        mask = batch.attention_mask[..., None].float()
        means = torch.stack([(state.float() * mask).sum(1) / mask.sum(1) for state in states], dim=1)
        for index, mean in zip(indices, means, strict=True):
            found[index] = mean.cpu()
    return torch.stack(found)
