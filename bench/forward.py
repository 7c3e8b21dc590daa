"""A model's forward pass, with logits only where they are needed. Works through any wrapper that passes keywords on."""

import inspect
from typing import Any

import torch
from torch import Tensor, nn

from bench.encoding import IGNORE, Batch


def accepts(model: nn.Module, argument: str) -> bool:
    """Whether the model's own forward takes this keyword (wrappers take everything)."""
    return argument in inspect.signature(unwrapped(model).forward).parameters


def unwrapped(model: nn.Module) -> nn.Module:
    """The transformers model inside a launcher's and PEFT's wrappers; adapters stay in its layers."""
    inner: Any = getattr(model, "module", model)
    return inner.get_base_model() if hasattr(inner, "get_base_model") else inner


def last_logits(model: nn.Module, batch: Batch, positions: int, cache: Any = None) -> Tensor:
    """Logits (batch, positions, vocabulary) after the last input tokens, as the model's dtype gives them.

    With `cache` the batch's attention mask and position ids must count the cached tokens.
    """
    extra: dict[str, Any] = {}
    if accepts(model, "position_ids"):
        extra["position_ids"] = batch.position_ids
    if accepts(model, "logits_to_keep"):
        extra["logits_to_keep"] = positions
    if cache is not None:
        extra["past_key_values"] = cache
    out = model(input_ids=batch.input_ids, attention_mask=batch.attention_mask, use_cache=cache is not None, **extra)
    logits: Tensor = out.logits
    return logits[:, -positions:]


def head_logits(model: nn.Module, batch: Batch) -> Tensor:
    """An encoder's logits (batch, outputs) in fp32; outputs of other tasks' heads are -inf."""
    logits: Tensor = model(input_ids=batch.input_ids, attention_mask=batch.attention_mask).logits.float()
    return logits if batch.allowed is None else logits.masked_fill(~batch.allowed, float("-inf"))


def loss_sum(model: nn.Module, batch: Batch) -> Tensor:
    """Cross-entropy in nats, weighted and summed over the batch's targets: transformers' loss before it is averaged."""
    if batch.allowed is not None:
        return nn.functional.cross_entropy(head_logits(model, batch), batch.labels, reduction="sum")
    losses = token_losses(last_logits(model, batch, positions=batch.labels.shape[1]), batch.labels)
    return losses.sum() if batch.weights is None else (losses.sum(1) * batch.weights).sum()


def token_losses(logits: Tensor, labels: Tensor) -> Tensor:
    """Negative log-likelihood in nats per target, shape of `labels`; 0 where a label is ignored."""
    flat = nn.functional.cross_entropy(logits.float().flatten(0, 1), labels.flatten(), ignore_index=IGNORE, reduction="none")
    return torch.as_tensor(flat.view_as(labels))
