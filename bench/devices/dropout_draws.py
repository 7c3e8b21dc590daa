"""What dropout draws on a CPU: the same random numbers as torch draws, in less time.

Torch draws one number after the other on one thread, and looks at each whether it is below the share that is kept. Here they
come in blocks, and a block is compared in passes that a processor does side by side. Which places are dropped, and where the
random numbers then stand, is the same to the last bit.
"""

from functools import cache
from math import ceil
from typing import Any

import torch
from torch import Generator, Tensor

from bench.devices.replaced_kernels import own_kernel, replace_kernel

DRAW = "bernoulli_.float"
AT_ONCE = 2**16
"""Numbers that are drawn at once: half a megabyte, which a core's cache holds."""
BITS = 53
"""Of the 64 that torch draws for each number, as many as a fraction in double precision has: the lowest of them."""


@cache
def draw_in_blocks() -> torch.library.Library | None:
    """Put this in the place of torch's own kernel, once, unless torch is too old to give that away or draws other numbers."""
    if (own := own_kernel(DRAW)) is None or not _draws_the_same():
        return None

    def kernel(keys: Any, out: Tensor, p: float = 0.5, *, generator: Generator | None = None) -> Tensor:
        if out.is_contiguous():
            return fill_with_draws(out, p, generator)
        own.call_boxed(keys, out, p, generator=generator)
        return out

    return replace_kernel(DRAW, kernel)


def fill_with_draws(out: Tensor, p: float, generator: Generator | None = None) -> Tensor:
    """Fill a contiguous tensor in place with 1 where a random number from 0 to 1 is below p, and with 0 elsewhere."""
    draws = torch.empty(min(AT_ONCE, out.numel()), dtype=torch.int64)
    below = ceil(p * 2**BITS)
    for part in out.view(-1).split(AT_ONCE):
        numbers = draws[: len(part)].random_(generator=generator).bitwise_and_(2**BITS - 1)
        part.copy_(numbers.lt_(below))
    return out


def _draws_the_same() -> bool:
    """Whether torch itself draws so in this build: with Intel's library it may have other random numbers."""
    own, ours = torch.Generator().manual_seed(0), torch.Generator().manual_seed(0)
    drawn = torch.empty(256).bernoulli_(0.5, generator=own)
    return torch.equal(drawn, fill_with_draws(torch.empty(256), 0.5, ours)) and torch.equal(own.get_state(), ours.get_state())
