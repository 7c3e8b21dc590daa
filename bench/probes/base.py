"""The interface of probes: items in, one value per item out, one score over the values."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from copy import copy
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import pandas as pd
from torch import nn

from bench import sources
from bench.devices import Device
from bench.encoding import Encoding
from bench.errors import UserError
from bench.specs import Family, ProbeSpec


class Probe(ABC):
    """One probe on one model family, its items chosen and encoded once."""

    family: ClassVar[Family]
    value: ClassVar[str]
    """Name of the score, with its unit."""
    higher_is_better: ClassVar[bool]
    share: ClassVar[bool]
    """Whether the score is a number in [0, 1]."""
    needs: ClassVar[frozenset[str]]
    """Columns that the source must give."""

    def __init__(self, spec: ProbeSpec, encoding: Encoding, limit: int, tokens: int) -> None:
        self.spec, self.encoding, self.tokens = spec, encoding, tokens
        self.rows = sample(sources.rows(spec.source), limit)

    @classmethod
    def check(cls, spec: ProbeSpec) -> None:
        """Read the probe's rows and check each.

        Raises:
            UserError: a value is missing or not of the kind that the probe needs.
        """
        for row in sources.rows(spec.source):
            fault = next((f"field '{name}' is empty" for name in cls.needs if not row[name]), cls.fault(row))
            if fault:
                raise UserError(f"probe '{spec.name}': {row.place}: {fault}")

    @classmethod
    def fault(cls, row: Mapping[str, Any]) -> str | None:
        """What is wrong with a row, or None."""
        return None

    @abstractmethod
    def measure(self, model: nn.Module) -> pd.DataFrame:
        """One row per item: `value`, its `weight` in the score, `gold` and `prediction` where there are any (as text)."""

    def answers(self, model: nn.Module, device: Device) -> pd.DataFrame:
        """`measure` over all items, each process taking its share, in the order of the rows."""
        mine = device.share(len(self.rows))
        part = copy(self)
        part.rows = [self.rows[index] for index in mine]
        with device.accelerator.autocast():
            return device.gathered(part.measure(model).assign(index=mine) if mine else pd.DataFrame())

    def score(self, items: Mapping[str, npt.NDArray[Any]]) -> float:
        """The probe's number from `measure`'s columns: the weighted mean of the items' values."""
        return float(np.average(items["value"], weights=items["weight"]))

    def frame(self, values: Sequence[float], weights: Sequence[float] | None = None, **columns: Any) -> pd.DataFrame:
        columns = {name: [str(entry) for entry in column] for name, column in columns.items()}
        return pd.DataFrame({"value": values, "weight": weights or [1.0] * len(values), **columns})


def sample(rows: Sequence[dict[str, Any]], limit: int) -> list[dict[str, Any]]:
    """A fixed random choice of rows; a larger limit keeps all of a smaller one's."""
    chosen = np.random.default_rng(0).permutation(len(rows))[:limit]
    return [rows[int(index)] for index in chosen]
