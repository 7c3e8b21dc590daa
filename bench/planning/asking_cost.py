"""What asking a model costs, before it is asked: the tokens that it would read and write, counted by a backend without one."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import product

import torch
from torch import Tensor

from bench.inference.backend import Backend, Continuation, GeneratedText, Ids, Likelihood, Prompt
from bench.inference.endpoint_model import CHARACTERS
from bench.inference.evalset import EvalSet
from bench.inference.predictions import predict
from bench.measuring.best_wording import wording_choice
from bench.measuring.evaluation import VALIDATION_ITEMS, as_base, eval_sets, run_encoding, run_probes, validation_set
from bench.probes import Probe
from bench.runs.run import PlannedModel, Run
from bench.tokens.encoded import Encoded

FEW, MORE = 8, 40
"""Items whose tokens stand for all: their difference is what 32 items add. The rest is read once whatever the number, as the
rows that a linear probe is fitted on are, or examples that are shown before every item."""
LEAST_LOGITS = 64
"""More than a task has labels."""


@dataclass(frozen=True)
class Asking:
    """What is asked of a model."""

    items: int = 0
    read: float = 0.0
    """Tokens."""
    written: float = 0.0
    """At most."""

    def __add__(self, other: "Asking") -> "Asking":
        return Asking(self.items + other.items, self.read + other.read, self.written + other.written)

    @property
    def tokens(self) -> float:
        return self.read + self.written


NO_ASKING = Asking()


class CountingBackend(Backend):
    """It counts the tokens that it is asked to read and to write, and answers anything."""

    def __init__(self, model: PlannedModel) -> None:
        self.name, self.can = model.name, model.can
        self._writes_at_most = model.writes_at_most
        self.read = self.written = 0.0

    def loglikelihoods(self, requests: Sequence[Continuation]) -> list[Likelihood]:
        contexts = {context for context, _ in requests}  # each is read once, whatever follows it
        self.read += sum(map(len, contexts)) + sum(len(answer) for _, answer in requests)
        return [_made_up_likelihood(answer) for _, answer in requests]

    def losses(self, texts: Sequence[Encoded]) -> list[float]:
        self.read += sum(len(text.ids) for text in texts)
        return [1.0] * len(texts)

    def generate(self, prompts: Sequence[Prompt], longest: int, one_line: bool, beams: int = 1) -> list[GeneratedText]:
        self.read += sum(len(p.ids) + sum(map(len, p.turns)) / CHARACTERS for p in prompts)
        self.read += sum(len(p.reference[1]) for p in prompts if p.reference)  # its context is read as the prompt's beginning
        self.written += self._writes_at_most(longest) * len(prompts)
        return [
            GeneratedText("", None, reference=_made_up_likelihood(p.reference[1]) if p.reference else None) for p in prompts
        ]

    def head_logits(self, windows: Sequence[Encoded]) -> list[Tensor]:
        self.read += sum(len(window.ids) for window in windows)
        # A row and a column for each token: large enough for labels, tags, and the two ends of a span.
        return [torch.zeros(LEAST_LOGITS + len(window.ids), LEAST_LOGITS + len(window.ids)) for window in windows]

    def embeddings(self, texts: Sequence[Encoded], every_layer: bool = False) -> Tensor:
        self.read += sum(len(text.ids) for text in texts)
        # No two texts are alike, since a classifier is fitted on them.
        return torch.rand(len(texts), 2 if every_layer else 1, 4, generator=torch.Generator().manual_seed(0))


def _made_up_likelihood(answer: Ids) -> Likelihood:
    """Each answer is, so that what is asked of such answers alone is counted too."""
    return Likelihood((-1.0,) * len(answer), True, answer)


def tests(run: Run) -> Asking:
    """What a run's model is asked beside its probes: at its end its test set, other tasks and domains, and single wordings, and
    after each of several stages their test sets."""
    if not _countable(run):
        return NO_ASKING
    sets = eval_sets(run, run_encoding(run))
    after_stages = sets.stages * len(run.stages)
    return sum(
        (_evalset_asking(each, run) for each in (sets.test, *sets.elsewhere.values(), *after_stages, *sets.paraphrases)),
        NO_ASKING,
    )


def validation(run: Run, items: int = VALIDATION_ITEMS) -> Asking:
    """What a run's model is asked at each point of a curve beside its probes; of a trial of tuning, each time it is scored."""
    return _evalset_asking(validation_set(run, run_encoding(run), run.task, items), run) if _countable(run) else NO_ASKING


def base_asking(runs: Sequence[Run]) -> Asking:
    """What one untouched base is asked for all these runs, each thing once: their test sets in each of its wordings, the
    validation items that choose between these, and their probes, once more of each base that is rounded to 8 or 4 bit.

    The probes of a base that is rounded to bf16 are not in it: which precision `auto` comes to is not known to a plan.
    """
    sets: dict[tuple[object, ...], tuple[EvalSet, Run]] = {}
    probed: dict[tuple[object, ...], Run] = {}
    for run in filter(_countable, runs):
        run_sets = eval_sets(run, run_encoding(run))
        for each in (run_sets.test, *run_sets.elsewhere.values()):
            choosing = wording_choice(run, each)
            words = run.base_wordings if choosing else run.base_wordings[:1]
            for part, wording in product([each, choosing] if choosing else [each], words):
                length = part.encoding and part.encoding.max_length
                sets[part.task.spec.name, part.split, part.items, wording, length] = (as_base(part, wording), run)
        for bits, (spec, limit) in product(_roundings(run), run.probes):
            probed[bits, spec.name, limit, run.max_length] = replace(run, probes=((spec, limit),))
    return sum([*(_evalset_asking(*each) for each in sets.values()), *map(probes, probed.values())], NO_ASKING)


def _roundings(run: Run) -> set[int]:
    """Bits of a weight of the bases that the run's probes ask: as the user had it, and as it is trained."""
    return {0} if not run.strategy.trains or run.strategy.bits == 32 else {0, run.strategy.bits}


def probes(run: Run) -> Asking:
    """What all probes of the run's model ask, once over."""
    if not _countable(run):
        return NO_ASKING
    return sum((_probe_asking(probe, run.model) for probe in run_probes(run)), NO_ASKING)


def _countable(run: Run) -> bool:
    """Whether the run is asked anything, and a tokenizer is at hand where one is needed."""
    return run.unfit is None and run.model.at_hand


def _evalset_asking(evalset: EvalSet, run: Run) -> Asking:
    def ask(backend: Backend, items: int) -> None:
        predict(backend, replace(evalset, items=items))

    return _asking_from_a_few(ask, len(evalset.examples), run.model)


def _probe_asking(probe: Probe, model: PlannedModel) -> Asking:
    def ask(backend: Backend, items: int) -> None:
        probe.first(items).measure(backend)

    return _asking_from_a_few(ask, len(probe.rows), model)


def _asking_from_a_few(ask: Callable[[Backend, int], None], count: int, model: PlannedModel) -> Asking:
    """What asking `count` items comes to, from a few of them.

    Args:
        ask: asks a backend so many items.
    """

    def counted(items: int) -> Asking:
        backend = CountingBackend(model)
        ask(backend, items)
        return Asking(items, backend.read, backend.written)

    if count <= MORE:
        return counted(count)
    few, more = counted(FEW), counted(MORE)
    times = (count - FEW) / (MORE - FEW)
    return Asking(count, few.read + (more.read - few.read) * times, few.written + (more.written - few.written) * times)
