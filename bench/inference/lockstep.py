"""A model that is shared out among processes is asked in lockstep: whoever has fewer requests joins in the others' passes.

Each pass of such a model is a collective call. So before each the processes tell each other that there is one more to come, and
one that has nothing left of its own goes on with a request whose answer nobody reads, until none has any left.
"""

from collections.abc import Callable
from typing import Any

import torch
from accelerate import Accelerator
from torch import nn


class Lockstep(nn.Module):
    """A wrapper as a launcher's is: the model's own forward pass and `generate`, told to the other processes."""

    def __init__(self, module: nn.Module, accelerator: Accelerator) -> None:
        super().__init__()
        self.module = module
        self._accelerator, self._idle = accelerator, False

    def forward(self, *inputs: Any, **named: Any) -> Any:
        self._announce()
        return self.module(*inputs, **named)

    def generate(self, **named: Any) -> Any:
        """transformers keeps the processes together from one token to the next."""
        self._announce()
        module: Any = self.module
        return module.generate(**named, synced_gpus=True)

    def join(self, idle: Callable[[], object]) -> None:
        """Make passes until all processes have made theirs; `idle` makes exactly one."""
        self._idle = True
        try:
            while self._passes(0) > 0:
                idle()
        finally:
            self._idle = False

    def _announce(self) -> None:
        if not self._idle:
            self._passes(1)

    def _passes(self, own: int) -> int:
        """How many processes make one of their own now."""
        flag = torch.tensor(own, device=self._accelerator.device)
        total = self._accelerator.reduce(flag)
        return 1 if own else int(total)  # who makes one need not wait to know whether others do
