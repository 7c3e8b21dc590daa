"""Early stopping: the best weights on validation are kept, and training ends when they have not been beaten for a while."""

from collections.abc import Callable

import torch
from torch import nn

from bench.modeling.forward import unlaunched


class EarlyStopping:
    """A training loop's watch. Prechelt 1998: stop after `patience` validations without a better score.

    Args:
        score: of a model, higher is better.
        every: share of the steps between two validations.
    """

    def __init__(self, score: Callable[[nn.Module], float], patience: int, every: float) -> None:
        self.score, self.patience, self.every = score, patience, every
        self.scores: list[float] = []
        self.best: dict[str, torch.Tensor] = {}
        self.best_step = 0

    def __call__(self, model: nn.Module, step: int, steps: int) -> bool:
        stride = max(1, round(steps * self.every))
        if step % stride and step != steps:
            return False
        score = self.score(model)
        if not self.scores or score > max(self.scores):
            self.best_step = step
            self.best = {name: p.detach().clone() for name, p in unlaunched(model).named_parameters() if p.requires_grad}
        self.scores.append(score)
        return len(self.scores) - 1 - self.scores.index(max(self.scores)) >= self.patience

    @torch.no_grad()
    def restore(self, model: nn.Module) -> None:
        """Put the best weights back."""
        for name, parameter in unlaunched(model).named_parameters():
            if name in self.best:
                parameter.copy_(self.best[name])
