"""Hidden states of a model's backbone as text embeddings: their mean over real tokens, the last layer's or every layer's."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn

from bench.modeling.forward import unwrapped
from bench.tokens.batches import padded
from bench.tokens.encoded import Encoded


def backbone(model: nn.Module) -> nn.Module:
    """The model under its head, adapters included."""
    inner: Any = unwrapped(model)
    return getattr(inner, inner.base_model_prefix, inner)


@torch.inference_mode()
def layer_means(model: nn.Module, texts: Sequence[Encoded], pad: int, tokens: int, every_layer: bool = False) -> Tensor:
    """Mean hidden state of each text on the CPU in fp32: (texts, layers + 1, hidden) with `every_layer`, the embeddings first;
    else the last layer's alone, (texts, 1, hidden). `tokens` bounds a padded batch."""
    device = next(model.parameters()).device
    means: list[Tensor] = [torch.empty(0)] * len(texts)
    for indices, batch in padded(texts, pad, tokens, device):
        types = {} if batch.types is None else {"token_type_ids": batch.types}
        inputs = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask, **types}
        out = backbone(model)(**inputs, output_hidden_states=every_layer)
        states = out.hidden_states if every_layer else [out.last_hidden_state]
        # fp32, because a sum over hundreds of tokens in bf16 would lose the small differences that probes look for.
        mask = batch.attention_mask[..., None].float()
        batch_means = torch.stack([(state.float() * mask).sum(1) / mask.sum(1) for state in states], dim=1)
        for index, mean in zip(indices, batch_means, strict=True):
            means[index] = mean.cpu()
    return torch.stack(means)
