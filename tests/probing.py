"""What probe tests share: a probe measured on a module, as a run does it in one process."""

from bench.inference.local import LocalBackend


def measured(probe, module, device=None):
    return probe.measure(LocalBackend(module, probe.encoding.model, device))
