"""The moments of a training under DeepSpeed's ZeRO. Its optimiser knows no weights: each process holds a stretch of all that
train in one flat tensor, or with ZeRO-3 a part of each of them, and moments of the same shape.
"""

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn, optim

from bench.training.optimizer import MOMENTS

STEP = "step"
"""Torch's name, and DeepSpeed's, for how many steps moments are made of."""


class Partitions:
    """Puts the moments of a weight together, and cuts them again; all processes call its methods together, weight by weight.

    What is put together is that of any other launcher, so that a training may go on under another one or with another number of
    processes. There are no other weights beside the model's to be kept: DeepSpeed's own copies are in fp32, as the model's are.

    Args:
        adam: DeepSpeed's optimiser, in Accelerate's wrapper.
    """

    def __init__(self, adam: optim.Optimizer) -> None:
        wrapper: Any = adam
        zero = self._zero = wrapper.optimizer
        self._inner: optim.Optimizer = zero.optimizer
        self._third = hasattr(zero, "fp32_partitioned_groups_flat")
        self._flats: list[Tensor] = zero.fp32_partitioned_groups_flat if self._third else zero.single_partition_of_fp32_groups

    def of(self, weight: nn.Parameter) -> Iterator[tuple[str, Tensor]]:
        """Each of a weight's moments, all of it on every process."""
        from deepspeed.utils import safe_get_full_optimizer_state

        if not weight.requires_grad:
            return
        self._link()
        yield STEP, torch.tensor(float(self._inner.state[self._flats[0]][STEP]))  # a count, or a tensor that holds it
        for kind in MOMENTS:
            yield kind, safe_get_full_optimizer_state(weight, kind)

    def put(self, weight: nn.Parameter, kind: str, values: Tensor) -> None:
        """Set one of a weight's moments, before the first step; weights of which none is set have moments of 0."""
        from deepspeed.utils import safe_set_full_optimizer_state, safe_set_local_optimizer_state

        self._make_room()
        if kind == STEP:
            self._count(values)
        elif self._third:
            # DeepSpeed's way for all of a weight fails where that can't be cut into equal parts.
            safe_set_local_optimizer_state(weight, _part_of_process(weight, values), kind)
        else:
            safe_set_full_optimizer_state(weight, values, kind)

    def _make_room(self) -> None:
        for flat in self._flats:
            state = self._inner.state[flat]
            if not state:
                # torch counts in tensors, and DeepSpeed's own optimiser for moments that lie in the host's memory does not.
                state[STEP] = torch.zeros((), device=flat.device) if isinstance(self._inner, optim.AdamW) else 0
                state |= {kind: torch.zeros_like(flat, requires_grad=False) for kind in MOMENTS}
        self._link()

    def _count(self, steps: Tensor) -> None:
        """All weights step together here; where a launcher left one out that had no gradient, the others' steps count."""
        for flat in self._flats:
            state = self._inner.state[flat]
            most = max(float(state[STEP]), float(steps))
            state[STEP] = torch.full_like(state[STEP], most) if torch.is_tensor(state[STEP]) else int(most)

    def _link(self) -> None:
        """Tell the weights where their moments lie. DeepSpeed does so once, when its first group has made a step and the others
        have no moments yet (_optimizer_step in its stage_1_and_2.py)."""
        from deepspeed.utils.mixed_precision_linkage import lazy_init_hp_params_optimizer_state

        if not self._third:
            for weights, flat in zip(self._zero.bit16_groups, self._flats, strict=True):
                lazy_init_hp_params_optimizer_state(weights, flat, self._inner.state)


def _part_of_process(weight: Any, values: Tensor) -> Tensor:
    """This process's part of a weight's values; parts are equal, and the last is filled up with 0."""
    size = weight.ds_tensor.numel()
    padded = values.new_zeros(size * weight.ds_zero_partition_world_size)
    padded[: values.numel()] = values.flatten()
    return padded.narrow(0, size * weight.ds_zero_partition_rank, size)
