"""Early stopping: the best weights on validation are kept, and training ends when they have not been beaten for a while."""

from collections.abc import Callable

import torch
from torch import nn

from bench.modeling.forward import unlaunched
from bench.modeling.weights import copied, write_weight
from bench.training.state import BestWeights, TrainingState


class EarlyStopping:
    """A training loop's watch. Prechelt 1998: stop after `patience` validations without a better score.

    Args:
        score: of a model, higher is better.
        every: share of the budget between two validations.
    """

    def __init__(self, score: Callable[[nn.Module], float], patience: int, every: float) -> None:
        self.score, self.patience, self.every = score, patience, every

    def __call__(self, model: nn.Module, state: TrainingState) -> bool:
        if not state.reached(self.every):
            return False
        score, best = self.score(model), state.best
        if not best.scores or score > max(best.scores):
            best.weights = {n: copied(p) for n, p in unlaunched(model).named_parameters() if p.requires_grad}
        best.scores.append(score)
        state.stopped = len(best.scores) - 1 - best.scores.index(max(best.scores)) >= self.patience
        return state.stopped


@torch.no_grad()
def restore(model: nn.Module, best: BestWeights) -> None:
    """Put the best weights back."""
    for name, parameter in unlaunched(model).named_parameters():
        if name in best.weights:
            write_weight(parameter, best.weights[name])
