"""Checks that come with every run beside the probes' self-tests: does a model that has learned nothing forget nothing?"""

from torch import nn

from bench.modeling.forward import caches
from bench.probes.selftests import few, same_numbers
from bench.running.evaluation import Evaluation, Session
from bench.running.reference import FIRST_ITEMS, Baseline, Reference

ROUNDING = 1e-3
"""What a fresh adapter may change of any number of any item, relative to its size."""


def fresh_adapter(session: Session, baseline: Baseline, adapted: nn.Module) -> dict[str, bool]:
    """Whether the adapted model, before any training, gives each probe's first items as the base does, number by number: a
    score of few items would often stand while they move.

    Prompt and prefix tuning put something before every text, and are no identity when they are fresh.
    """
    run = session.run
    if run.model.family == "decoder" and not caches(adapted):
        return {}
    backend = session.backend(adapted)
    held = {}
    for probe in session.probes:
        before, now = baseline.first_items[probe.spec.name], few(probe, FIRST_ITEMS).measure(backend)
        held[f"{probe.spec.name}: fresh adapter forgets nothing"] = same_numbers(before, now, ROUNDING)
    return held


def untouched_row(session: Session, reference: Reference, evaluation: Evaluation) -> dict[str, bool]:
    """Whether a row that trains nothing gives each probe's first items exactly as the base that all rows are held against.

    The first such row measures what the others are held against, which proves nothing and is no check.
    """
    now = evaluation.probes
    kept = reference.probe_items([few(probe, FIRST_ITEMS) for probe in session.probes], known=now)
    if not kept or any(kept[name] is now[name] for name in now):
        return {}
    return {"untouched_forgets_nothing": all(same_numbers(kept[name], now[name], tolerance=0) for name in now)}
