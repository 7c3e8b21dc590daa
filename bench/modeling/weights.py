"""Weights that may be shared out among processes, as FSDP2's and ZeRO-3's are: their shape, and all of them read and written.

Reading or writing is a collective call where a weight is shared out: all processes must make it, in the same order.
"""

import math
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor, distribute_tensor


def shape(weight: Any) -> tuple[int, ...]:
    """Of the whole weight; of one that bitsandbytes has packed into 4 bit, before that."""
    packed = getattr(weight, "quant_state", None)  # keeps the shape there
    return tuple(packed.shape if packed is not None else getattr(weight, "ds_shape", weight.shape))


def numel(weight: Tensor) -> int:
    """Numbers in the whole weight."""
    return math.prod(shape(weight))


def outline(weight: Tensor) -> Tensor:
    """The whole weight without its numbers, on the meta device: enough to know what it takes to keep it."""
    return torch.empty(getattr(weight, "ds_shape", weight.shape), dtype=weight.dtype, device="meta")


def shared_out(model: nn.Module) -> bool:
    """Whether this process holds no more than parts of the model's weights."""
    return any(map(_in_parts, model.parameters()))


@torch.no_grad()
def unmap_trained(model: nn.Module) -> None:
    """Write the weights that train once, by one thread, so that they no longer lie in the file that they are mapped from.

    The first write to a page copies it, and takes it from the other threads' view. In the first step all threads did so at the
    same time, which took 1.6 s of SmolLM2; this takes .4 s. A copy of each weight is faster by .2 s, but as long as any weight
    lies in the file, the pages that it was copied from count as held.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        for weight in model.parameters():
            if weight.requires_grad and weight.device.type == "cpu" and not _in_parts(weight):
                weight.mul_(1)
    finally:
        torch.set_num_threads(threads)


CHUNK, ACCELERATED = 2**16, 2**22
"""Numbers that a checksum takes at once: on a CPU as many as its cache holds; an accelerator does more at once, but each takes
16 bytes, which would count as the run's memory."""


@torch.no_grad()
def checksum(weight: Tensor) -> tuple[int, int]:
    """Of a weight's bits, on its device: their sum, and that of each times its place, in 64 bits (Fletcher 1982)."""
    integers = {1: torch.uint8, 2: torch.int16, 4: torch.int32, 8: torch.int64}[weight.element_size()]
    sums = torch.zeros(2, dtype=torch.long, device=weight.device)
    size = CHUNK if weight.device.type == "cpu" else ACCELERATED
    for number, part in enumerate(weight.detach().reshape(-1).view(integers).split(size)):
        bits = part.long()
        own = bits.sum()
        placed = bits.mul_(torch.arange(1, len(bits) + 1, device=bits.device)).sum() + number * size * own
        sums += torch.stack([own, placed])
    plain, weighted = sums.tolist()
    return plain, weighted


@torch.no_grad()
def full_tensor(weight: Any) -> Tensor:
    """All of a weight; what is shared out is put together in a copy."""
    if isinstance(weight, DTensor):
        return weight.full_tensor()
    if hasattr(weight, "ds_id"):
        with _gathered(weight):
            return weight.detach().clone()
    return weight.detach()


def copied(weight: Any) -> Tensor:
    """A copy of all of a weight: on its device, or, of one that is shared out, on the CPU, as no device need have room."""
    values = full_tensor(weight)
    return values.to("cpu", copy=True) if _in_parts(weight) else values.clone()


@torch.no_grad()
def write_weight(weight: Any, values: Tensor) -> None:
    """Write all of a weight, of which each process keeps its part."""
    if isinstance(weight, DTensor):
        # Each process has all the values, and cuts its part out itself.
        weight.copy_(local_part(weight, values))
        return
    with _gathered(weight, writer=0) if hasattr(weight, "ds_id") else nullcontext():
        weight.copy_(values)


def local_part(weight: Any, values: Tensor) -> Tensor:
    """A copy of values that an optimiser keeps beside a weight: where that is shared out, this process's part of them."""
    own = values.to(weight.device, copy=True)
    if isinstance(weight, DTensor) and own.shape == weight.shape:
        return distribute_tensor(own, weight.device_mesh, weight.placements, src_data_rank=None)
    return own


def _gathered(weight: Tensor, writer: int | None = None) -> AbstractContextManager[None]:
    import deepspeed

    gathered: AbstractContextManager[None] = deepspeed.zero.GatheredParameters([weight], modifier_rank=writer)
    return gathered


def _in_parts(weight: Tensor) -> bool:
    return isinstance(weight, DTensor) or hasattr(weight, "ds_id")
