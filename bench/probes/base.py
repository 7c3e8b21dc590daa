"""The interface of probes: items in, one value per item out, one score over the values."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any, ClassVar, Self, TypeVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from pydantic import ValidationError

from bench.data import sources
from bench.data.sources import SourceRow
from bench.errors import UserError
from bench.hashing import digest
from bench.inference.backend import Backend, Continuation
from bench.modeling.models import Model
from bench.probes.templates import filled
from bench.specs.base import Capability, Family, Spec, explain
from bench.specs.probe import ProbeSpec
from bench.tasks.encoding import Encoding
from bench.tasks.sampling import sample

LABEL_LETTERS = 64
"""Of a cluster's label, which stands beside each of its items."""
ACCURACY = "accuracy"
"""The share of right answers, which stands beside the continuous number that a probe is first of all."""

R = TypeVar("R", bound=Mapping[str, Any])

Columns = Mapping[str, npt.NDArray[Any]]
"""`measure`'s columns."""


class ProbeOptions(Spec):
    """What a kind leaves to the YAML; kinds with a choice override it."""


class Probe(ABC):
    """One probe on one model, its items chosen once."""

    family: ClassVar[Family | None]
    """None: any."""
    uses: ClassVar[Capability]
    """What a model must be able to be asked."""
    allowed: ClassVar[type[ProbeOptions]] = ProbeOptions
    value: str
    """Name of the score, with its unit."""
    higher_is_better: ClassVar[bool]
    share: ClassVar[bool]
    """Whether the score is a number in [0, 1]."""
    directed: ClassVar[bool] = True
    """Whether training can move the score both ways. A distance from the base only grows: its interval leaves zero out after
    the first step, so that it has none, no verdict and no part in relative forgetting."""
    discordance: ClassVar[float | None] = None
    """Share of items whose answer is right before or after training and not both, as plans expect it; None without answers."""
    spread: ClassVar[float | None] = None
    """Standard deviation of what items lose, as a plan expects it, where there are none."""
    needs: ClassVar[frozenset[str]]
    """Fields that a row must have."""
    lists: ClassVar[frozenset[str]] = frozenset()
    """Those of them that hold several texts; every other holds one."""

    def __init__(self, spec: ProbeSpec, encoding: Encoding, limit: int) -> None:
        self.spec, self.encoding = spec, encoding
        # `accept` has told what is wrong with them.
        self.options: Any = self.allowed.model_validate(spec.options)
        self.rows = self.asked_rows(limit)

    @classmethod
    def accept(cls, spec: ProbeSpec) -> None:
        """Check the spec without reading data.

        Raises:
            UserError: a field that the kind needs is missing, or an option is wrong.
        """
        if missing := cls.needs - spec.given:
            raise UserError(f"probe '{spec.name}': a {spec.kind} probe needs the columns {', '.join(sorted(missing))}")
        try:
            cls.allowed.model_validate(spec.options)
        except ValidationError as error:
            raise UserError(f"probe '{spec.name}', options of a {spec.kind} probe: {explain(error, cls.allowed)}") from error

    def asked_rows(self, limit: int) -> list[SourceRow]:
        """The rows that become its items, at most `limit`."""
        return chosen_rows(filled_rows(self.spec), limit, self.spec.cluster)

    @classmethod
    def available_items(cls, spec: ProbeSpec) -> int:
        """How many items its rows are enough for."""
        return len(filled_rows(spec))

    @classmethod
    def check(cls, spec: ProbeSpec) -> None:
        """Read the probe's rows and check each.

        Raises:
            UserError: a value is missing or not of the kind that the probe needs.
        """
        for row in filled_rows(spec):
            # Sorted, since a set's order is another in each process, and so would be the fault that is told.
            misfits = (cls._misfit(name, row[name], spec) for name in sorted(cls.needs))
            if fault := next(filter(None, misfits), None) or cls.fault(row, spec):
                raise UserError(f"probe '{spec.name}': {row.place}: {fault}")

    @classmethod
    def _misfit(cls, name: str, value: str | list[Any], spec: ProbeSpec) -> str | None:
        """Why a value cannot stand in a field that the kind needs, or None."""
        if not value or (isinstance(value, str) and value.isspace()):
            return f"field '{name}' is empty"
        if isinstance(value, list) and name not in cls.lists:
            column = spec.sources[0].columns.get(name, name)
            return f"field '{name}' must be one text, not a list; name an entry of it under columns, as {column}.0"
        return None

    @classmethod
    def fault(cls, row: Mapping[str, Any], spec: ProbeSpec) -> str | None:
        """What is wrong with a row, or None."""
        return None

    @classmethod
    def unfit(cls, model: Model) -> str | None:
        """Why a model of the right family cannot be measured all the same, or None."""
        return None

    @abstractmethod
    def measure(self, backend: Backend) -> pd.DataFrame:
        """One row per item: `value`, a continuous number, and its `weight` in the score; `right`, 0 or 1, where there is an
        answer that can be; `gold` and `prediction` where there are any (as text).
        """

    def part(self, indices: Sequence[int]) -> Self:
        """The same probe on some of its items."""
        # Not made anew: a linear probe keeps the rows that it is fitted on.
        part = copy(self)
        part.rows = [self.rows[index] for index in indices]
        return part

    def first(self, count: int) -> Self:
        """The same probe on its first items, at most `count`."""
        return self.part(range(min(count, len(self.rows))))

    def movable(self) -> Self:
        """The same probe without items whose number is the same on every model, in which no self-test could see anything."""
        return self

    def score(self, items: Columns) -> float:
        """The probe's number from `measure`'s columns: the weighted mean of the items' values."""
        return float(np.average(items["value"], weights=items["weight"]))

    def scores(self, before: Columns, after: Columns) -> tuple[float, float]:
        """The score before and after."""
        return self.score(before), self.score(after)

    def others(self, before: Columns, after: Columns) -> dict[str, tuple[float, float]]:
        """Further numbers that the same items give, before and after, by name."""
        if "right" not in before:
            return {}
        return {ACCURACY: (float(before["right"].mean()), float(after["right"].mean()))}

    def frame(self, values: Sequence[float], weights: Sequence[float] | None = None, **columns: Any) -> pd.DataFrame:
        columns = {name: [str(entry) for entry in column] for name, column in columns.items()}
        if self.spec.cluster:
            columns["cluster"] = clusters_of_rows(self.rows, self.spec.cluster)
        return pd.DataFrame({"value": values, "weight": weights or [1.0] * len(values), **columns})

    def requests(self, pairs: Sequence[tuple[str, str]]) -> list[Continuation]:
        """Ids of (context, continuation) pairs, each encoded as one text and cut where the context's own tokens end, as
        lm-evaluation-harness does. A context too long for the longest of the continuations loses its middle, and loses the
        same for all. An empty context is the model's BOS token, or else its EOS.
        """
        encoding, tokenizer = self.encoding, self.encoding.model.tokenizer
        start = tokenizer.eos_token_id if tokenizer.bos_token_id is None else tokenizer.bos_token_id
        cut: list[Continuation] = []
        for context, continuation in pairs:
            whole = tuple(
                encoding.ids(context + continuation) if context else [start, *encoding.ids(continuation, special=False)]
            )
            alone = encoding.ids(context) if context else [start]
            # A token that joins both belongs to the continuation, which has one at least.
            end = next(
                (i for i, (a, b) in enumerate(zip(alone, whole, strict=False)) if a != b), min(len(alone), len(whole) - 1)
            )
            cut.append((whole[:end], whole[end:]))
        room = max(len(continuation) for _, continuation in cut)
        try:
            return [(encoding.fitted(context, answer=room), continuation) for context, continuation in cut]
        except UserError as error:
            raise UserError(f"probe '{self.spec.name}', {room} tokens of '{pairs[0][1].strip()[:60]}': {error}") from error


def columns(frame: pd.DataFrame) -> Columns:
    """`measure`'s frame as the scores read it."""
    return {str(name): frame[name].to_numpy() for name in frame}


def filled_rows(spec: ProbeSpec) -> list[SourceRow]:
    """The sources' rows with the spec's own fields."""

    def whole(row: SourceRow) -> SourceRow:
        try:
            return SourceRow(filled(row, spec.fields), row.place)
        except ValueError as error:
            raise UserError(f"probe '{spec.name}': {row.place}: {error}") from None

    return [whole(row) for source in spec.sources for row in sources.rows(source)]


def chosen_rows(rows: Sequence[R], limit: int, cluster: str | None = None) -> list[R]:
    """A fixed sample of rows with the shares of their `gold` values, if they have any, spread over the clusters that the field
    `cluster` names; a larger limit keeps all of a smaller one's."""
    return sample(rows, limit, [str(row.get("gold", "")) for row in rows], clusters_of_rows(rows, cluster))


def clusters_of_rows(rows: Sequence[Mapping[str, Any]], cluster: str | None) -> list[str | None]:
    """What each row belongs to, by the field `cluster`; None where nothing says so, and it is by itself. A passage is told by
    its hash."""
    labels = [str(row[cluster]) if cluster and row[cluster] else None for row in rows]
    return [digest(label) if label and len(label) > LABEL_LETTERS else label for label in labels]
