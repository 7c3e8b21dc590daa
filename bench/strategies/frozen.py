"""Embeddings and the bottom layers stay as they are; the top layers and an encoder's head train (Lee et al. 2019)."""

from pydantic import Field
from torch import nn

from bench.errors import UserError
from bench.modeling.structure import before_blocks, layers
from bench.specs.base import Family
from bench.strategies.base import Hyperparameters, Strategy


class FrozenHyperparameters(Hyperparameters):
    frozen: int | float = Field(default=2 / 3, ge=0)
    """Layers that stay, from the bottom: their number (6), or their share (0.5, 1.0), rounded to whole layers."""


class Frozen(Strategy):
    Hyperparameters = FrozenHyperparameters
    hyperparameters: FrozenHyperparameters

    def adapt(self, model: nn.Module, family: Family) -> nn.Module:
        blocks = layers(model)
        depth = self.hyperparameters.frozen
        if depth > (len(blocks) if isinstance(depth, int) else 1):
            raise UserError(
                f"strategy '{self.name}': frozen={depth}, but the model has {len(blocks)} layers; a share is at most 1.0"
            )
        # 1 is one layer and 1.0 all of them, so the type decides.
        stay = blocks[: depth if isinstance(depth, int) else round(len(blocks) * depth)]
        # With their norms and projections: a trained weight below the frozen layers would need gradients through all of them.
        embeddings = [module for module in model.modules() if isinstance(module, nn.Embedding)]
        for module in (*embeddings, *before_blocks(model), *stay):
            module.requires_grad_(False)
        if family == "decoder":
            # Mostly it is the embedding. Where it is a matrix of its own it may be larger than all layers that train.
            model.get_output_embeddings().requires_grad_(False)  # type: ignore[operator]  # mypy knows a Module, not its class
        return model
