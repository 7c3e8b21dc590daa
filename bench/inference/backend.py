"""The one interface between a model and all who ask it, cut as lm-evaluation-harness cuts it.

A backend answers lists of requests: log-likelihoods, losses of texts, generation, logits of a head, embeddings. Batching,
gathering over processes, autocast and caches hide behind it; who asks never sees them. The model on this machine is one
file behind it (local.py), also where processes share its weights out, and one behind an API another (endpoint_backend.py); a
serving engine would be one more.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import fsum
from typing import TypeVar

from torch import Tensor, nn

from bench.devices.device import Device
from bench.errors import RunError
from bench.specs.base import Capability
from bench.tokens.encoded import Encoded

A = TypeVar("A")
B = TypeVar("B")

Ids = tuple[int, ...]
Continuation = tuple[Ids, Ids]
"""Ids of a context and of what follows it, both at least one token."""


@dataclass(frozen=True)
class Likelihood:
    """Of a continuation."""

    nats: tuple[float, ...]
    """The log-probability of each token, at most 0."""
    greedy: bool
    """Each token was the most likely one."""
    likeliest: Ids
    """The most likely token at each place, given the continuation's tokens before it."""

    @property
    def total(self) -> float:
        """The continuation's log-probability in nats."""
        return fsum(self.nats)


@dataclass(frozen=True)
class Prompt:
    """What is to be continued: as token ids for a model on this machine, as the turns of a chat for one behind an API."""

    ids: Ids = ()
    turns: tuple[str, ...] = ()
    """The user's and the assistant's in turn, a user's first and last."""
    reference: Continuation | None = None
    """What is judged beside the text that is written. Its context begins as the ids do, so that this is read once."""


@dataclass(frozen=True)
class GeneratedText:
    """A text that was written, with the product of its tokens' probabilities, its end's included."""

    text: str
    confidence: float | None
    """None where the model does not tell."""
    tokens: tuple[int, int] | None = None
    """Read and written, where an API counted them."""
    reference: Likelihood | None = None
    """Of the prompt's reference, where it has one."""
    finished: bool = True
    """Whether it came to an end of its own, and not to the limit of tokens."""


class Backend:
    """A model that can be asked. Each method takes all requests on every process, and gives all answers on every process, in
    the order of the requests; what a model cannot do is left out of `can`, and raises RunError when it is asked all the same.
    """

    name: str
    can: frozenset[Capability]
    device: Device | None = None
    """It shares the requests among its processes; without one this process answers all of them."""
    module: nn.Module | None = None
    """The model itself, where this process holds it; None where something else does. What looks into a model is then left
    out."""

    def loglikelihoods(self, requests: Sequence[Continuation]) -> list[Likelihood]:
        """How likely a decoder finds each continuation after its context."""
        raise self._cannot("log-likelihoods")

    def losses(self, texts: Sequence[Encoded]) -> list[float]:
        """Nats of each text, summed over its targets: a decoder's last `answer` tokens; an encoder's labelled tokens, which
        are masked in the text."""
        raise self._cannot("losses of texts")

    def generate(self, prompts: Sequence[Prompt], longest: int, one_line: bool, beams: int = 1) -> list[GeneratedText]:
        """What the model writes after each prompt, greedily or by beam search: at most `longest` tokens, with `one_line` up to
        a line's end. An API writes as it does, whatever `beams` says. Who gives log-likelihoods judges the references too."""
        raise self._cannot("text of its own")

    def head_logits(self, windows: Sequence[Encoded]) -> list[Tensor]:
        """What an encoder's head says of each window, on the CPU in fp32: (predictions, classes); predictions of padding may
        still stand at the end."""
        raise self._cannot("logits of a task's head")

    def embeddings(self, texts: Sequence[Encoded], every_layer: bool = False) -> Tensor:
        """The mean over tokens of the hidden states, on the CPU in fp32: (texts, 1, hidden) of the last layer, or (texts,
        layers + 1, hidden), the embedding layer first."""
        raise self._cannot("embeddings")

    def _mine(self, count: int) -> list[int]:
        """Which of so many requests this process answers."""
        return self.device.share(count) if self.device else list(range(count))

    def _shared(self, requests: Sequence[A], answer: Callable[[Sequence[A]], list[B]]) -> list[B]:
        """The answers to all requests, of which each process gives its share."""
        return self._answered(requests, self._mine(len(requests)), answer)

    def _answered(self, requests: Sequence[A], mine: Sequence[int], answer: Callable[[Sequence[A]], list[B]]) -> list[B]:
        """The answers to all requests, of which this process gives those at the indices `mine`."""
        answers = answer([requests[index] for index in mine]) if mine else []
        if requests:
            # The first of all, since a process may have none of its own.
            self._join(lambda: answer(requests[:1]))
        return self.device.gathered(dict(zip(mine, answers, strict=True))) if self.device else answers

    def _join(self, idle: Callable[[], object]) -> None:
        """Called when this process has given its answers, for a model that all must ask together; `idle` asks one request more,
        in one pass."""

    def _cannot(self, what: str) -> RunError:
        return RunError(f"model '{self.name}' gives no {what}")
