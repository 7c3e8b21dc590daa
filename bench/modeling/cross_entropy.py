"""Cross-entropy of targets, and for many targets over a large vocabulary its sum without all their logits at once.

An answer of 1,000 tokens over 49,152 words has 200 MB of logits, as much again of their logarithms, and as much of gradients.
Where only the sum is wanted and what each target weighs in it is known, a chunk of targets needs its logits no longer than to
give its part of the loss and of the gradients (as in Liger Kernel, Hsu et al. 2024), and nothing is computed twice.
"""

from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

from bench.modeling.fp32_product import multiplied
from bench.tokens.encoded import IGNORE

CHUNK_LOGITS = 2**22
"""Logits of a chunk: 16 MB in fp32. Each chunk goes over the gradient of the whole head once."""


def token_losses(logits: Tensor, labels: Tensor, smoothing: float = 0.0) -> Tensor:
    """Negative log-likelihood in nats per target, shape of `labels`; 0 where a label is ignored.

    With `smoothing` the target gets 1 - smoothing of the probability, and all classes share the rest (Szegedy et al. 2016).
    """
    # fp32: bf16's 8 bits are too few for a sum over a vocabulary. By hand instead of cross_entropy's own label_smoothing,
    # which would spread over the -inf of a span's padding too.
    logprobs, wanted = logits.float().flatten(0, 1).log_softmax(-1), labels.flatten()
    losses = nn.functional.nll_loss(logprobs, wanted, ignore_index=IGNORE, reduction="none")
    if smoothing:
        real = logprobs.isfinite()  # -inf marks what is no class: padding among a span's tokens
        spread = -logprobs.where(real, 0).sum(-1) / real.sum(-1)
        losses = ((1 - smoothing) * losses + smoothing * spread).where(wanted != IGNORE, 0)
    return losses.view_as(labels)


def has_many_logits(head: nn.Linear, targets: int) -> bool:
    """Whether so many targets have more logits than a chunk."""
    return targets * head.out_features > CHUNK_LOGITS


def chunked_loss(head: nn.Linear, states: Tensor, labels: Tensor, weights: Tensor, smoothing: float = 0.0) -> Tensor:
    """The sum of targets' losses, each by its weight, of states (targets, width), labels and weights (targets)."""
    loss: Tensor = _ChunkedSum.apply(states, head.weight, head.bias, labels, weights, smoothing)
    return loss


class _ChunkedSum(torch.autograd.Function):
    """Makes the gradients of states and head with the loss; backward scales them."""

    @staticmethod
    def forward(
        ctx: Any, states: Tensor, weight: Tensor, bias: Tensor | None, labels: Tensor, weights: Tensor, smoothing: float
    ) -> Tensor:
        total, trains = torch.zeros((), device=states.device), ctx.needs_input_grad
        by_states = torch.empty_like(states)
        by_weight = torch.zeros_like(weight) if trains[1] else None
        by_bias = torch.zeros_like(bias) if bias is not None and trains[2] else None
        size = max(1, CHUNK_LOGITS // len(weight))
        for read, wanted, counts, given in zip(
            *(each.split(size) for each in (states, labels, weights, by_states)), strict=True
        ):
            logits = multiplied(read, weight, bias).requires_grad_()
            with torch.enable_grad():
                loss = (token_losses(logits[None], wanted[None], smoothing)[0] * counts).sum()
            (gradient,) = torch.autograd.grad(loss, logits)
            total += loss.detach()
            given.copy_(multiplied(gradient, weight.to(gradient.dtype).t()))
            if by_weight is not None:
                _add_product(by_weight, gradient.T, read)
            if by_bias is not None:
                by_bias += gradient.sum(0)
        ctx.gradients = [by_states, by_weight, by_bias]
        return total

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, scale: Tensor) -> tuple[Tensor | None, ...]:
        gradients, ctx.gradients = ctx.gradients, None  # held by nobody else, so that none has to be copied
        return *(None if gradient is None else gradient.mul_(scale) for gradient in gradients), None, None, None


def _add_product(total: Tensor, left: Tensor, right: Tensor) -> None:
    """In place, without a matrix for the product where all three are of one type; under autocast they are not."""
    if left.dtype == total.dtype:
        total.addmm_(left, right)
    else:
        total.add_(left @ right.to(left.dtype))
