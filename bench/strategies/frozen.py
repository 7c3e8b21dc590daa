"""Embeddings and the bottom layers stay as they are; the top layers and the head train (Lee et al. 2019)."""

from pydantic import Field
from torch import nn

from bench.models import layers
from bench.specs import Family
from bench.strategies.base import Hyperparameters, Strategy


class FrozenHyperparameters(Hyperparameters):
    frozen: float = Field(default=2 / 3, ge=0, le=1)
    """Share of the layers, from the bottom, that stays; rounded to whole layers."""


class Frozen(Strategy):
    Hyperparameters = FrozenHyperparameters
    hyperparameters: FrozenHyperparameters

    def adapt(self, model: nn.Module, family: Family) -> nn.Module:
        blocks = layers(model)
        stay = blocks[: round(len(blocks) * self.hyperparameters.frozen)]
        embeddings = [module for module in model.modules() if isinstance(module, nn.Embedding)]
        for module in (*embeddings, *stay):
            module.requires_grad_(False)  # a tied output head is the embedding, and stays too
        return model
