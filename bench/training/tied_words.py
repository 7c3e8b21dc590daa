"""Word embeddings that a decoder's head shares: the rows that texts read are added into the head's gradient in place.

torch makes of them a gradient of all rows, mostly zeros, and adds that to the head's: of SmolLM2 113 MB to fill and to add in
each backward pass.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn

from bench.devices.launched import parallelism
from bench.modeling.forward import unwrapped
from bench.training.optimizer import trained_table

RowsRead = tuple[Tensor, Tensor]
"""The ids that one lookup read, and the gradient of what it gave: a row for each."""


class _Lookup(torch.autograd.Function):
    """Rows of a table, of whose gradient backward only takes down what it is made of."""

    @staticmethod
    def forward(ctx: Any, weight: Tensor, ids: Tensor, waiting: list[RowsRead]) -> Tensor:
        ctx.ids, ctx.waiting = ids, waiting
        return nn.functional.embedding(ids, weight)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[None, None, None]:
        (gradient,) = gradients
        ctx.waiting.append((ctx.ids.flatten(), gradient.flatten(0, -2)))
        return None, None, None


@contextmanager
def rows_added_in_place(model: nn.Module, accelerator: Accelerator) -> Iterator[None]:
    """Within it a trained table that the model's head alone shares gets its gradient in this way, where no launcher wants to
    know of it; on a GPU a sum of such rows would hang on their order in time."""
    table = _shared_with_head(model) if parallelism(accelerator) == "none" and accelerator.device.type == "cpu" else None
    if table is None:
        yield
        return
    waiting: list[RowsRead] = []

    def add(weight: Tensor) -> None:
        """Once a pass, when all that read the weight are through: what its gradient holds by then is the head's."""
        while waiting and weight.grad is not None:
            ids, gradient = waiting.pop()
            if table.padding_idx is not None:
                real = ids != table.padding_idx  # torch's own gradient leaves that row out
                ids, gradient = ids[real], gradient[real]
            weight.grad.index_add_(0, ids, gradient)  # in order; index_put_ adds from several threads as they come

    def looked_up(ids: Tensor) -> Tensor:
        waiting.clear()  # of a pass that memory broke off
        found: Tensor = _Lookup.apply(table.weight, ids, waiting)
        return found

    hook = table.weight.register_post_accumulate_grad_hook(add)
    vars(table)["forward"] = looked_up
    try:
        yield
    finally:
        del vars(table)["forward"]
        hook.remove()


def _shared_with_head(model: nn.Module) -> nn.Embedding | None:
    inner: Any = unwrapped(model)
    table, readers = trained_table(model)
    find = getattr(inner, "get_output_embeddings", None)
    head = find() if find else None
    if table is None or "forward" in vars(table) or len(readers) != 2 or not any(each is head for each in readers):
        return None
    return table
