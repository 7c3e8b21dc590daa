"""A model's forward pass, with logits only where they are needed. Works through any wrapper that passes keywords on."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from transformers import DynamicCache
from transformers.cache_utils import DynamicLayer

from bench.modeling.cross_entropy import chunked_loss, has_many_logits, token_losses
from bench.modeling.fp32_product import is_linear
from bench.modeling.heads import Heads
from bench.tokens.encoded import Batch, left_padded


def accepts(model: nn.Module, argument: str) -> bool:
    """Whether the model's own forward takes this keyword (wrappers take everything)."""
    return argument in inspect.signature(unwrapped(model).forward).parameters


def unlaunched(model: nn.Module) -> nn.Module:
    """The model inside a launcher's wrapper, with PEFT's still around it."""
    inner: nn.Module = getattr(model, "module", model)  # DDP's name for it, and DeepSpeed's
    return inner


def unwrapped(model: nn.Module) -> nn.Module:
    """The transformers model inside a launcher's and PEFT's wrappers; adapters stay in its layers."""
    inner: Any = unlaunched(model)
    return inner.get_base_model() if hasattr(inner, "get_base_model") else inner


def backbone(model: nn.Module) -> nn.Module:
    """The transformers model under its head, adapters included; the model itself where it has none."""
    inner: Any = unwrapped(model)
    base: nn.Module = getattr(inner, inner.base_model_prefix, inner)
    return base


def caches(model: nn.Module) -> bool:
    """Whether a beginning's keys and values are all that need be kept of it, so that many rows can go on from there, with
    padding between.

    Not so where PEFT's prompt or prefix tuning puts its own there, where layers are recurrent, or where places are counted in
    columns instead of by position ids: in windows, chunks and some kinds of ALiBi.
    """
    inner: Any = unwrapped(model)
    if prompt_learning(model) or not (accepts(model, "past_key_values") and accepts(model, "position_ids")):
        return False
    config = inner.config
    if config.is_encoder_decoder or getattr(inner, "_is_stateful", False) or "local" in getattr(config, "attention_layers", ()):
        return False
    return all(type(layer) is DynamicLayer for layer in DynamicCache(config=config).layers)


def prompt_learning(model: nn.Module) -> bool:
    """Whether PEFT puts something trained before every text: prompt tuning, prefix tuning, P-tuning."""
    config: Any = getattr(unlaunched(model), "active_peft_config", None)
    return bool(getattr(config, "is_prompt_learning", False))


def scores_choices(model: nn.Module) -> bool:
    """Whether the model, of several heads the first, reads choices: it wants an axis of them behind the batch's."""
    inner: Any = unwrapped(model)
    return type(inner.heads["0"] if isinstance(inner, Heads) else inner).__name__.endswith("ForMultipleChoice")


def last_logits(model: nn.Module, batch: Batch, positions: int, cache: Any = None) -> Tensor:
    """Logits (batch, positions, vocabulary) after the last input tokens, as the model's dtype gives them.

    With `cache` the batch's attention mask and position ids must count the cached tokens.
    """
    logits = _logits(model, batch, positions, cache)
    return logits[:, -positions:]  # a model that does not know logits_to_keep gives all


def _logits(model: nn.Module, batch: Batch, positions: int, cache: Any = None) -> Tensor:
    extra: dict[str, Any] = {}
    # PEFT drops position ids beside its prompt tokens and shifts them beside a prefix: there the strategy's hook counts them.
    if accepts(model, "position_ids") and not prompt_learning(model):
        extra["position_ids"] = batch.position_ids
    if accepts(model, "logits_to_keep"):
        extra["logits_to_keep"] = positions
    if cache is not None:
        extra["past_key_values"] = cache
    out = model(input_ids=batch.input_ids, attention_mask=batch.attention_mask, use_cache=cache is not None, **extra)
    logits: Tensor = out.logits
    return logits


def _begun(model: nn.Module, batch: Batch) -> DynamicCache | None:
    """The keys and values of what all rows begin with, which is read once for them to go on from; None where nothing is. What
    the rows learn through them, they hand back to the one reading, summed."""
    if batch.beginning is None:
        return None
    cache, ids = DynamicCache(), batch.beginning
    with head_reads(model, lambda states: states[:, :0]):
        _logits(model, left_padded(ids.tolist(), 0, None, ids.device), 1, cache)
    for layer in cache.layers:
        layer.keys, layer.values = (states.expand(len(batch.input_ids), -1, -1, -1) for states in (layer.keys, layer.values))
    return cache


def read_in_one_piece(model: Any) -> None:
    """Let the head that gives logits of tokens read states that lie in one piece. Those of the last tokens are a slice, for
    which torch would read the whole head once for each text, unless it trains."""
    head = model.get_output_embeddings()
    if head is not None:
        head.register_forward_pre_hook(lambda _, states: (states[0].contiguous(),))


@contextmanager
def exact_logits(model: nn.Module) -> Iterator[None]:
    """Within it a head that gives probabilities of tokens, a decoder's or one for masked tokens, computes in the precision of
    its weights, also under autocast.

    Logits lie around 20, where neighbouring numbers of bf16 are 0.125 apart. Likelihoods would be rounded to an eighth of a
    nat, and the two likeliest tokens would often be tied. Where few logits are asked for, as in evaluation, it costs little.
    """
    find: Any = getattr(unwrapped(model), "get_output_embeddings", None)
    head: Any = find() if find else None
    if head is None or "forward" in vars(head):
        yield
        return
    forward = head.forward

    def exact(states: Tensor) -> Tensor:
        if not torch.is_autocast_enabled(states.device.type):
            return forward(states)
        with torch.autocast(states.device.type, enabled=False):
            return forward(states.to(head.weight.dtype))

    head.forward = exact
    try:
        yield
    finally:
        del head.forward


@contextmanager
def head_reads(model: nn.Module, chosen: Callable[[Tensor], Tensor]) -> Iterator[None]:
    """Within it the head reads what `chosen` leaves of the last states: no other logits are made."""
    inner: Any = unwrapped(model)
    handle = inner.get_output_embeddings().register_forward_pre_hook(lambda head, states: (chosen(states[0]),))
    try:
        yield
    finally:
        handle.remove()


def target_losses(model: nn.Module, batch: Batch, smoothing: float = 0.0) -> Tensor:
    """A decoder's losses, shape of the labels, 0 where there is no target. Logits are made at the targets alone: beside a text
    that is learned whole, an answer of one token would have a text's."""
    inner: Any = unwrapped(model)
    head, labels = inner.get_output_embeddings(), batch.labels
    cache = _begun(model, batch)
    if batch.targets is None or head is None or not accepts(model, "logits_to_keep"):
        return token_losses(last_logits(model, batch, labels.shape[1], cache), labels, smoothing)
    targets = batch.targets
    with head_reads(model, lambda states: states[:, -labels.shape[1] :].flatten(0, 1)[targets][None]):
        logits = _logits(model, batch, labels.shape[1], cache)  # (1, targets, vocabulary)
    losses = token_losses(logits, labels.flatten()[targets][None], smoothing)[0]
    return losses.new_zeros(labels.numel()).index_put((targets,), losses).view_as(labels)


def _loss_in_chunks(model: nn.Module, batch: Batch, smoothing: float) -> Tensor | None:
    """A decoder's `loss_sum` without the logits of all targets at once, where they are many; None where they are few, or where
    more stands between states and loss than a matrix of this process's own."""
    inner: Any = unwrapped(model)
    head, labels = inner.get_output_embeddings(), batch.labels
    targets = torch.arange(labels.numel(), device=labels.device) if batch.targets is None else batch.targets
    if not is_linear(head) or model is not unlaunched(model):
        return None
    # A weight of another type is in parts, or in 8 bit. Some configs name what a model makes of its logits, such as a cap.
    if type(head.weight) is not nn.Parameter or "forward" in vars(head) or any("logit" in name for name in vars(inner.config)):
        return None
    if not has_many_logits(head, len(targets)) or not torch.is_grad_enabled():
        return None
    read: list[Tensor] = []
    cache = _begun(model, batch)

    def keep(states: Tensor) -> Tensor:
        read.append(states[:, -labels.shape[1] :].flatten(0, 1)[targets])
        return read[0]

    vars(head)["forward"] = keep
    try:
        given = _logits(model, batch, labels.shape[1], cache)
    finally:
        del vars(head)["forward"]
    if given is not read[0]:  # the model makes something else of its logits after all
        return None
    row = targets // labels.shape[1]
    weights = torch.ones_like(row, dtype=torch.float32) if batch.weights is None else batch.weights[row]
    return chunked_loss(head, read[0], labels.flatten()[targets], weights, smoothing)


def head_logits(model: nn.Module, batch: Batch) -> Tensor:
    """An encoder's logits (batch, predictions, classes) in fp32: one prediction per text or per token, the two ends of a span,
    whose classes are the tokens, or one per example, whose classes are its choices. Padding among tokens and among choices is
    -inf, so that a batch's width does not matter."""
    extra: dict[str, Any] = {} if batch.types is None else {"token_type_ids": batch.types}
    if isinstance(unwrapped(model), Heads):
        extra["head"] = batch.head
    out = model(input_ids=batch.input_ids, attention_mask=batch.attention_mask, **extra)
    length = batch.input_ids.shape[1]  # the last ones: PEFT's prompt tuning puts tokens of its own before the text
    if "start_logits" in out:
        ends = torch.stack([out.start_logits, out.end_logits], dim=1).float()[..., -length:]
        return ends.masked_fill(batch.attention_mask[:, None] == 0, float("-inf"))
    logits: Tensor = out.logits.float()
    if batch.choices is not None:
        logits = logits.masked_fill(~batch.choices, float("-inf"))
    return logits[:, -length:] if logits.ndim == 3 else logits[:, None]


def loss_sum(model: nn.Module, batch: Batch, smoothing: float = 0.0) -> Tensor:
    """Cross-entropy in nats, weighted and summed over the batch's targets: transformers' loss before it is averaged."""
    if batch.head is None:
        chunked = _loss_in_chunks(model, batch, smoothing)
        if chunked is not None:
            return chunked
        losses = target_losses(model, batch, smoothing)
    else:
        losses = token_losses(head_logits(model, batch), batch.labels, smoothing)
    return losses.sum() if batch.weights is None else (losses.sum(1) * batch.weights).sum()
