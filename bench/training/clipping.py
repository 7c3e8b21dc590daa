"""Gradients clipped by their norm, in AdamW's own pass over them where each process holds them whole."""

from collections.abc import Iterable, Iterator

from accelerate import Accelerator
from torch import Tensor, nn
from torch.nn.utils import get_total_norm

from bench.devices.launched import WHOLE_GRADIENTS, parallelism
from bench.training.optimizer import RowwiseAdamW


def clip(weights: Iterable[nn.Parameter], adam: RowwiseAdamW, accelerator: Accelerator, max_norm: float) -> None:
    """See to it that the next step takes the weights' gradients scaled down to the norm `max_norm`, where theirs is larger.

    Scaled as torch's clip_grad_norm_ does it, whose own pass over all gradients this spares: AdamW reads them anyhow. Where
    processes share gradients out, the launcher's own way clips them.
    """
    if parallelism(accelerator) not in WHOLE_GRADIENTS:
        accelerator.clip_grad_norm_(weights, max_norm)
        return
    norm = get_total_norm(_of_weights(weights))
    # A tensor, so that no GPU is waited for; 1e-6 is torch's, against a norm of 0.
    adam.grad_scale = ((norm.float() + 1e-6) / max_norm).clamp(min=1)


def _of_weights(weights: Iterable[nn.Parameter]) -> Iterator[Tensor]:
    """Those of all weights that have one; where some rows alone have one, theirs."""
    for weight in weights:
        if weight.grad is None:
            continue
        if not weight.grad.is_sparse:
            yield weight.grad
            continue
        weight.grad = weight.grad.coalesce()  # what several micro-batches give to one row is summed, once for the step too
        yield weight.grad.values()
