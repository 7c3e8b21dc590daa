"""What asking the probes costs, before anything is asked: the tokens that a model would read, counted by a backend that reads
none."""

from collections.abc import Sequence

import torch
from torch import Tensor

from bench.inference.backend import Backend, Continuation, Likelihood
from bench.modeling.models import Model
from bench.probes import Probe, probe_class
from bench.running.run import Run
from bench.tasks.encoding import Encoding
from bench.tokens.encoded import Encoded

FEW = 8
"""Items whose tokens stand for all."""


class CountingBackend(Backend):
    """It counts the tokens that it is asked to read, and answers anything."""

    def __init__(self, model: Model) -> None:
        self.name, self.can, self.tokens = model.name, model.can, 0

    def loglikelihoods(self, requests: Sequence[Continuation]) -> list[Likelihood]:
        contexts = {context for context, _ in requests}  # each is read once, whatever follows it
        self.tokens += sum(map(len, contexts)) + sum(len(answer) for _, answer in requests)
        return [Likelihood(-float(len(answer)), len(answer), True, answer) for _, answer in requests]

    def losses(self, texts: Sequence[Encoded]) -> list[float]:
        self.tokens += sum(len(text.ids) for text in texts)
        return [1.0] * len(texts)

    def embeddings(self, texts: Sequence[Encoded], every_layer: bool = False) -> Tensor:
        self.tokens += sum(len(text.ids) for text in texts)
        return torch.rand(len(texts), 2 if every_layer else 1, 4, generator=torch.Generator().manual_seed(0))


def probe_tokens(run: Run) -> int:
    """Tokens that all probes of the run's model read, once over; of a model without a tokenizer on this machine none."""
    if not isinstance(run.model, Model) or not run.model.at_hand:
        return 0
    encoding = Encoding(run.model, run.max_length)
    return sum(_tokens(probe_class(spec)(spec, encoding, limit), run.model) for spec, limit in run.probes)


def _tokens(probe: Probe, model: Model) -> int:
    backend = CountingBackend(model)
    part = probe.part(range(min(FEW, len(probe.rows))))
    part.measure(backend)
    return round(backend.tokens / len(part.rows) * len(probe.rows))
