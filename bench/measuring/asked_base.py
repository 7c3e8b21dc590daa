"""What the untouched base model predicts and what it gives to the probes: asked where nobody has asked it yet."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import pandas as pd

from bench.inference.evalset import EvalSet
from bench.inference.predictions import predict
from bench.measuring.base_results import FIRST_ITEMS, BaseAnswers, BaseResults
from bench.measuring.best_wording import best_wording
from bench.measuring.evaluation import Session, as_base
from bench.measuring.kept_base import KeptBase
from bench.measuring.loaded_base import LoadedBase
from bench.measuring.rounding import Rounding
from bench.probes import Probe


class AskedBase:
    """Asks the base model of a session what the run's model is asked, and knows its answers from before."""

    def __init__(self, session: Session, loaded: LoadedBase, kept: KeptBase) -> None:
        self.session, self.loaded, self.kept = session, loaded, kept

    def results(self) -> BaseResults:
        """All that a run which trains is held against. Afterwards training needs no base any more.

        The rounded base comes last, so that each of the two is loaded once, unless another process asks it at the same time.
        """
        run, sets, probes = self.session.run, self.session.sets, self.session.probes
        own, in_training = Rounding.of_reference(run), Rounding.in_training(run, self.session.device)
        parts: dict[str, Callable[[], Any]] = {
            "validation": lambda: self.predictions(sets.validation) if run.probe_every else None,
            "stages": lambda: [self.predictions(evalset) for evalset in sets.stages],
            "test": lambda: self.answers(sets.test),
            "elsewhere": lambda: self.kept.in_any_order({n: partial(self.answers, e) for n, e in sets.elsewhere.items()}),
            "probes": lambda: self.probe_items(probes, own),
            "rounded": lambda: self.probe_items(probes, in_training) if in_training != own else {},
            "first_items": lambda: self.probe_items([probe.first(FIRST_ITEMS) for probe in probes], in_training),
        }
        return BaseResults(**self.kept.in_any_order(parts))

    def answers(self, evalset: EvalSet, known: pd.DataFrame | None = None) -> BaseAnswers:
        """In the same words and in the best; `known` as for `predictions`."""
        best = best_wording(self.session.run, evalset, self.predictions)
        return BaseAnswers(self.predictions(evalset, known), self.predictions(replace(evalset, wording=best)), best.style)

    def predictions(self, evalset: EvalSet, known: pd.DataFrame | None = None) -> pd.DataFrame:
        """On the same examples in the same words; `known` where a row that is the base has just been asked them."""
        base_set = as_base(evalset, self.session.run.in_base_words(evalset.wording))
        return self.kept.of_set(base_set, lambda: predict(self.loaded.backend(), base_set) if known is None else known)

    def probe_items(
        self, probes: Sequence[Probe], rounding: Rounding | None = None, known: dict[str, pd.DataFrame] | None = None
    ) -> dict[str, pd.DataFrame]:
        """Each probe's items, of the base in its reference precision or rounded otherwise; `known` as for `predictions`."""
        rounded = rounding or Rounding.of_reference(self.session.run)

        def measured(probe: Probe) -> pd.DataFrame:
            return known[probe.spec.name] if known else probe.measure(self.loaded.backend(rounded))

        ask = self.kept.of_probe
        return self.kept.in_any_order({p.spec.name: partial(ask, p, asdict(rounded), partial(measured, p)) for p in probes})
