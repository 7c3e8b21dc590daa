"""What an encoder's features still tell about a task never trained on: a linear classifier on frozen, mean-pooled embeddings.

The classifier (scikit-learn's logistic regression on standardised features) is fitted anew on each model's features of the
same training rows, and judged on other rows (Alain & Bengio 2017): by the log-odds that it gives the gold class, and by whether
it guesses right.
"""

from collections import defaultdict
from collections.abc import Hashable

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import Field

from bench.data.sources import SourceRow
from bench.errors import UserError
from bench.inference.backend import Backend
from bench.probes.base import Probe, ProbeOptions, chosen_rows, clusters_of_rows, filled_rows
from bench.specs.probe import ProbeSpec

STRENGTH = 0.1
"""scikit-learn's C, the inverse of the regularisation: 256 rows in hundreds of dimensions can mostly be told apart without a
mistake, and the log-odds of a classifier that is held less would run off."""


class FitOptions(ProbeOptions):
    train: int = Field(default=256, ge=2)
    """Rows that the classifier is fitted on; the probe's items are other rows."""


class LinearProbe(Probe):
    family = "encoder"
    uses = "embeddings"
    allowed = FitOptions
    value = "log-odds of the gold class (nats)"
    higher_is_better = True
    share = False
    discordance = 0.15
    needs = frozenset({"text", "gold"})

    train: list[SourceRow]
    """What the classifier is fitted on."""

    def asked_rows(self, limit: int) -> list[SourceRow]:
        """None of those that the classifier is fitted on, which are put aside."""
        self.train, others = _fitted_and_other_rows(self.spec)
        items = max(limit, 2)  # a limit by power is below that where the training rows leave none
        if len(others) < items:
            which = ", without those of the training rows' clusters" if self.spec.cluster else ""
            raise UserError(
                f"probe '{self.spec.name}': {items} items and {self.options.train} training rows are more than the "
                f"{len(others) + len(self.train)} rows of the source{which}; lower items or the option train"
            )
        if len({row["gold"] for row in self.train}) < 2:
            raise UserError(
                f"probe '{self.spec.name}': its {len(self.train)} training rows are all of the class "
                f"'{self.train[0]['gold']}'; raise the option train, or give rows of several classes"
            )
        return others[:limit]

    @classmethod
    def available_items(cls, spec: ProbeSpec) -> int:
        """Without those that the classifier is fitted on."""
        return len(_fitted_and_other_rows(spec)[1])

    def measure(self, backend: Backend) -> pd.DataFrame:
        """`value` is the classifier's log-odds of the gold class, `right` whether that is its guess, `confidence` the guess's
        probability.
        """
        from sklearn.linear_model import LogisticRegression  # half a second that only this kind of probe needs
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        texts = [self.encoding.whole([row["text"]]) for row in (*self.train, *self.rows)]
        # In double precision, so that the fit adds no rounding of its own.
        features = backend.embeddings(texts)[:, -1].double().numpy()
        known, tested = features[: len(self.train)], features[len(self.train) :]
        # Up to the optimum, which is unique: scikit-learn's default stops so early that rounding of the features moves log-odds
        # by 2e-5 of their size, and two readings of the same model would seem to differ.
        classifier = make_pipeline(
            StandardScaler(), LogisticRegression(C=STRENGTH, max_iter=1000, tol=1e-8, solver="newton-cg")
        )
        classifier.fit(known, [row["gold"] for row in self.train])
        gold = [row["gold"] for row in self.rows]
        guesses = classifier.predict(tested).tolist()
        right = [float(a == b) for a, b in zip(guesses, gold, strict=True)]
        logs, place = classifier.predict_log_proba(tested), {label: i for i, label in enumerate(classifier.classes_)}
        odds = [_log_odds_of_class(row, place.get(label)) for row, label in zip(logs, gold, strict=True)]
        return self.frame(odds, gold=gold, prediction=guesses).assign(right=right, confidence=np.exp(logs.max(1)))


def _fitted_and_other_rows(spec: ProbeSpec) -> tuple[list[SourceRow], list[SourceRow]]:
    """The rows that the classifier is fitted on, and those that may be asked, none of which is of a cluster of the former."""
    rows, train = filled_rows(spec), FitOptions.model_validate(spec.options).train
    ordered = chosen_rows(rows, len(rows), spec.cluster)
    clusters = clusters_of_rows(ordered, spec.cluster)
    # From the other end, so that the training rows are the same whatever the number of items; and whole clusters, since that
    # end alone holds a row of nearly each.
    members: dict[Hashable, list[int]] = defaultdict(list)
    for place in reversed(range(len(ordered))):
        members[place if clusters[place] is None else clusters[place]].append(place)
    fitted: list[int] = []
    for part in members.values():
        if len(fitted) >= train:
            break
        fitted += part
    others = sorted({*range(len(ordered))} - {*fitted})
    return [ordered[place] for place in fitted[:train]], [ordered[place] for place in others]


def _log_odds_of_class(logs: npt.NDArray[np.float64], place: int | None) -> float:
    """Of one class, from the log-probabilities of all; a class that no training row had is as unlikely as the unlikeliest."""
    chosen = int(logs.argmin()) if place is None else place
    return float(logs[chosen] - np.logaddexp.reduce(np.delete(logs, chosen)))
