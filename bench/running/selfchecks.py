"""Self-tests that come with every run: do the probes catch their own mistakes, and is a fresh adapter the identity?

Those of the base model are done once per content and kept beside its scores. The tests themselves: bench/probes/selftests.py.
"""

from collections.abc import Mapping

import pandas as pd
from torch import nn

from bench.modeling.forward import caches
from bench.probes import Probe
from bench.probes.lm_loss import LmLoss
from bench.probes.multiple_choice import MultipleChoice
from bench.probes.selftests import SelfTests, few, same_numbers
from bench.probes.similarity import Similarity
from bench.running import base_scores
from bench.running.answers import FIRST_ITEMS, Bases, Questions

ROUNDING = 1e-3
"""What a fresh adapter may change of any number of any item, relative to its size."""


def of_base(questions: Questions, bases: Bases) -> dict[str, bool]:
    """Self-test of a probe -> whether it holds, on the untouched base in fp32."""
    found: dict[str, bool] = {}
    for probe in questions.probes:
        held = base_scores.selftests(questions.run, probe, lambda probe=probe: tested(probe, bases(32)), questions.device)  # type: ignore[misc]
        found |= {f"{probe.spec.name}: {name}": value for name, value in held.items()}
    return found


def of_adapter(questions: Questions, before: Mapping[str, pd.DataFrame], adapted: nn.Module) -> dict[str, bool]:
    """Whether the adapted model, before any training, answers each probe's first items as the base does, number by number: a
    score of few items would often stand while they move.

    Prompt and prefix tuning put something before every text, and are no identity when they are fresh.
    """
    if questions.run.model.family == "decoder" and not caches(adapted):
        return {}
    found = {}
    for probe in questions.probes:
        now = few(probe, FIRST_ITEMS).answers(adapted, questions.device)
        found[f"{probe.spec.name}: fresh adapter forgets nothing"] = same_numbers(before[probe.spec.name], now, ROUNDING)
    return found


def of_untouched(questions: Questions, bases: Bases, now: dict[str, pd.DataFrame]) -> dict[str, bool]:
    """Whether a row that trains nothing answers each probe's first items exactly as the base that all rows are held against.

    The first such row measures what the others are held against, which proves nothing and is no check.
    """
    kept = questions.base_probes(bases, 32, known=now, items=FIRST_ITEMS)
    if not kept or any(kept[name] is now[name] for name in now):
        return {}
    return {"untouched_forgets_nothing": all(same_numbers(kept[name], now[name], tolerance=0) for name in now)}


def tested(probe: Probe, model: nn.Module) -> dict[str, bool]:
    """All self-tests that apply to the kind of probe."""
    tests = SelfTests(probe, model)
    found = {
        "untouched model forgets nothing": tests.untouched_forgets_nothing(),
        "batches equal one by one": tests.batches_equal_one_by_one(),
    }
    if isinstance(probe, LmLoss) and tests.knows_language:
        found["shifted labels are worse"] = tests.shifted_labels_are_worse()
        found["growing damage shows"] = tests.damage_shows()
    if isinstance(probe, Similarity):
        found["growing damage shows"] = tests.damage_moves_values()
    if isinstance(probe, MultipleChoice):
        found["shuffled gold is chance"] = tests.shuffled_gold_is_chance()
    return found
