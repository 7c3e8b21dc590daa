"""AdamW over the weights that train. Of word embeddings, it keeps what it needs for the rows alone that texts have read.

Most words of a vocabulary are in no text of a training: of MiniLM's 30,522 rows, which are half of its weights, 1,037 reviews
read 5,414. Without weight decay a row whose gradient was always 0 has moments of 0 and stays as it is. So its gradient, its
share of the norm and its moments need not be there, and each weight still gets what AdamW gives it.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from accelerate import Accelerator
from torch import Tensor, nn
from torch.optim.adamw import adamw

from bench.devices.launched import parallelism
from bench.modeling.forward import backbone
from bench.modeling.weights import shape
from bench.strategies.base import Hyperparameters

MOMENTS = ("exp_avg", "exp_avg_sq")
"""Torch's names for what AdamW keeps of each number, beside the weight's count of steps."""


class RowwiseAdamW(torch.optim.AdamW):
    """AdamW (Loshchilov & Hutter 2019), for gradients of some rows too, as sparse tensors, where nothing is decayed.

    It is not torch's SparseAdam, which leaves out a row that this step's texts do not hold, though its moments still move it.
    The state of such a weight holds its `rows`, in the order in which texts came to them, and their moments. Where more than
    half have been read, to gather and to put back costs more than it spares, and all rows have moments from there on.
    """

    grad_scale: Tensor | None = None
    """By what the next step alone divides all gradients, as it reads them: one number in fp32. The name is torch's."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._whole: set[Tensor] = set()
        """Weights of which more than half the rows were read."""

    @torch.no_grad()
    def step(self, closure: Any = None) -> Any:
        by_row = []
        for group in self.param_groups:
            for weight in group["params"]:
                if weight.grad is None or not weight.grad.is_sparse:
                    if "rows" in self.state.get(weight, {}):
                        self._make_whole(weight)
                    continue
                gradient = weight.grad.coalesce()
                places = None if weight in self._whole else _known_rows(self.state[weight], weight, gradient.indices()[0])
                if places is None:
                    self._make_whole(weight)
                    weight.grad = gradient.to_dense()
                else:
                    by_row.append((group, weight, gradient.values(), places))
                    weight.grad = None  # torch's own step takes no sparse ones
        loss = super().step(closure)
        for group, weight, values, places in by_row:
            self._step_rows(group, weight, values, places)
        self.grad_scale = None
        return loss

    def _step_rows(self, group: dict[str, Any], weight: Tensor, values: Tensor, places: Tensor) -> None:
        state = self.state[weight]
        gradient = torch.zeros_like(state["exp_avg"])
        gradient[places] = values
        rows = weight[state["rows"]]
        adamw(
            [rows],
            [gradient],
            [state["exp_avg"]],
            [state["exp_avg_sq"]],
            [],
            [state["step"]],
            fused=True,
            grad_scale=self.grad_scale,
            amsgrad=False,
            beta1=group["betas"][0],
            beta2=group["betas"][1],
            lr=group["lr"],
            weight_decay=group["weight_decay"],
            eps=group["eps"],
            maximize=False,
        )
        weight[state["rows"]] = rows

    def _make_whole(self, weight: Tensor) -> None:
        """Moments of all rows; those of a row that no text has read are 0."""
        self._whole.add(weight)
        state = self.state[weight]
        rows = state.pop("rows", None)
        if rows is not None:
            state |= {name: torch.zeros_like(weight).index_copy(0, rows, state[name]) for name in MOMENTS}


def _known_rows(state: dict[str, Any], weight: Tensor, read: Tensor) -> Tensor | None:
    """The places of the rows that a step has read among all that its steps have; those that are new have moments of 0. None
    where they are more than half of all."""
    if not state:
        none = weight.new_zeros(0, weight.shape[1])
        step = torch.zeros((), device=weight.device)  # in fp32, as torch's own, whatever the weight is
        state |= {"step": step, "rows": read.new_zeros(0), "exp_avg": none, "exp_avg_sq": none}
    elif "rows" not in state:  # of a checkpoint, which gives the moments of all rows
        rows = (state["exp_avg"].any(1) | state["exp_avg_sq"].any(1)).nonzero().flatten()
        state |= {"rows": rows} | {name: state[name][rows] for name in MOMENTS}
    new = read[~torch.isin(read, state["rows"])]
    if len(new):
        state["rows"] = torch.cat([state["rows"], new])
        for name in MOMENTS:
            state[name] = torch.cat([state[name], weight.new_zeros(len(new), weight.shape[1])])
    if 2 * len(state["rows"]) > len(weight):
        return None
    places = read.new_empty(len(weight))
    places[state["rows"]] = torch.arange(len(state["rows"]), device=weight.device)
    return places[read]


def optimizer(model: nn.Module, hyperparameters: Hyperparameters) -> RowwiseAdamW:
    """Over the trained weights; norms and biases are not decayed, as in the Trainer, nor is what else has one dimension (DoRA's
    magnitudes, VeRA's scales)."""
    trainable = [(name, p) for name, p in model.named_parameters() if p.requires_grad]
    decayed = [p for name, p in trainable if len(shape(p)) > 1]
    plain = [p for name, p in trainable if len(shape(p)) <= 1]
    groups = [{"params": decayed, "weight_decay": hyperparameters.weight_decay}, {"params": plain, "weight_decay": 0.0}]
    return RowwiseAdamW([g for g in groups if g["params"]], lr=hyperparameters.learning_rate, fused=True)


@contextmanager
def by_rows(model: nn.Module, hyperparameters: Hyperparameters, accelerator: Accelerator) -> Iterator[None]:
    """Within it the gradient of word embeddings holds only the rows that texts have read, where nothing hangs on the others: no
    decay, no head that is tied to them, no launcher, which would add up whole gradients. A GPU would have to wait in each step
    for the number of new rows."""
    alone = parallelism(accelerator) == "none" and accelerator.device.type == "cpu"
    table, readers = trained_table(model) if alone and not hyperparameters.weight_decay else (None, [])
    if table is None or len(readers) > 1:
        yield
        return
    before, table.sparse = table.sparse, True
    try:
        yield
    finally:
        table.sparse = before


def trained_table(model: nn.Module) -> tuple[nn.Embedding | None, list[nn.Module]]:
    """The word embeddings, where they train and nothing but their gradient changes them, and all modules that read them."""
    text_model: Any = backbone(model)
    try:
        table = text_model.get_input_embeddings()
    except (NotImplementedError, AttributeError):  # models that read bytes by hashes, such as CANINE, have no such table
        return None, []
    if not isinstance(table, nn.Embedding) or not table.weight.requires_grad:
        return None, []
    if table.max_norm is not None or table.scale_grad_by_freq:
        return None, []
    return table, [module for module in model.modules() if any(own is table.weight for own in module.parameters(recurse=False))]
