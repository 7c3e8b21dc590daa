"""What probe tests share: a probe measured on a module, as a run does it in one process, and a model that is held elsewhere."""

from bench.inference.backend import Backend
from bench.inference.local import LocalBackend


class Elsewhere(Backend):
    """As a serving engine in this process: it gives likelihoods, and no module."""

    can = frozenset({"loglikelihoods"})

    def __init__(self, module, model):
        self.name, self._engine = model.name, LocalBackend(module, model)

    def loglikelihoods(self, requests):
        return self._engine.loglikelihoods(requests)


def measured(probe, module, device=None):
    return probe.measure(LocalBackend(module, probe.encoding.model, device))
