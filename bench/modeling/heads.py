"""Several task heads on one encoder: what multitask training gives an encoder instead of instructions (Liu et al. 2019)."""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel


class Heads(nn.Module):
    """transformers' own head models over the same backbone; a forward pass goes through one of them.

    The shared backbone is the fullest of the models' own: a pooler that one task needs does not disturb another.
    """

    base_model_prefix = "backbone"

    def __init__(self, models: Sequence[PreTrainedModel]) -> None:
        super().__init__()
        backbones = [getattr(model, model.base_model_prefix) for model in models]
        self.backbone = max(backbones, key=lambda backbone: sum(p.numel() for p in backbone.parameters()))
        for model in models:
            setattr(model, model.base_model_prefix, self.backbone)
        self.heads = nn.ModuleDict({str(number): model for number, model in enumerate(models)})

    @property
    def config(self) -> Any:
        return self.heads["0"].config

    def own(self) -> list[nn.Parameter]:
        """Parameters of the heads themselves, and of the backbone's pooler, which serves them alone."""
        shared = {id(parameter) for name, parameter in self.backbone.named_parameters() if not name.startswith("pooler.")}
        return [parameter for parameter in self.heads.parameters() if id(parameter) not in shared]

    def forward(self, head: int, **inputs: Any) -> Any:
        """The output of that head's model.

        The other heads' weights take part with factor 0: data-parallel processes expect a gradient of each weight in each step.
        """
        out = self.heads[str(head)](**inputs)
        if torch.is_grad_enabled():
            # One number of each is enough; DDP's find_unused_parameters would search the graph in each step instead. Those of
            # the backbone are in the output already. Of what is shared out FSDP2 has put just these together; ZeRO-3 needs
            # none.
            own = [parameter for parameter in self.own() if parameter.requires_grad and parameter.numel()]
            unused = sum((parameter.flatten()[0] * 0 for parameter in own), torch.zeros(()))
            out[next(iter(out))] = out[next(iter(out))] + unused
        return out
