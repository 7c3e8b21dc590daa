"""Memory that runs out in a training step: the step is done again in smaller micro-batches, which differ by rounding.

Where the model has dropout, other units are dropped too: the masks are drawn a micro-batch at a time.
"""

from collections.abc import Callable
from typing import TypeVar

import torch
from accelerate import Accelerator
from torch import nn

from bench.devices.launched import parallelism
from bench.devices.memory import ran_out
from bench.errors import BrokenOffError
from bench.training.state import TrainingState

Passed = TypeVar("Passed")

SMALLEST = 16
"""Tokens of the smallest micro-batches that are tried: few texts are shorter, and one that is longer is one by itself."""


def as_memory_allows(
    model: nn.Module, state: TrainingState, accelerator: Accelerator, tokens: int, passes: Callable[[int], Passed]
) -> Passed:
    """What `passes` gives, a step's forward and backward passes in micro-batches of at most so many padded tokens, halved as
    often as memory runs out. The state and its keeper take down what it came to.

    Raises:
        BrokenOffError: memory ran out under a launcher, whose other processes wait within the step; it goes on in smaller
            micro-batches when it is asked for again.
        Exception: memory ran out with the smallest micro-batches, or something else is wrong.
    """
    while True:
        room = min(tokens, state.micro_tokens or tokens)
        try:
            return passes(room)
        except Exception as error:
            if not ran_out(error) or room // 2 < SMALLEST:
                raise
        # Outside the handler: the error's traceback holds the step's tensors.
        state.micro_tokens = room // 2
        if state.keeper:
            state.keeper.lowered(state.micro_tokens)
        # Also where a launcher has started a single one: DDP and DeepSpeed hold parts of the step that was broken off.
        if parallelism(accelerator) != "none":
            raise BrokenOffError(
                f"memory ran out in step {state.step + 1} with micro-batches of {room} tokens; "
                f"the same command goes on with {state.micro_tokens}"
            )
        model.zero_grad(set_to_none=True)
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
