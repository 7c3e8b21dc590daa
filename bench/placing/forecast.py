"""How long work will take: by what work like it took, and by FLOPs where none has been done.

FLOPs alone put runs in a poor order, above all those of several models: SmolLM2 does four times as many in a second as MiniLM.
docs/placement.md has how far off each way is. (Rates by strategy as well were no better than rates by model.)
"""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from statistics import median

UNKNOWN_RATE = 5e10
"""FLOP/s where nothing has been done; which number it is changes no order."""
ANY = ""
"""The rates of all models together."""


@dataclass(frozen=True)
class Predictors:
    """What the seconds of a piece of work hang on."""

    kind: str
    """Equal for what costs the same: a run's seeds, a search's trials."""
    model: str
    """Work of one model does about as many FLOPs in a second."""
    count: Callable[[], float] = field(compare=False)
    """Its FLOPs, which takes seconds of reading texts: only those are counted that a forecast needs."""

    @cached_property
    def flops(self) -> float:
        return self.count()


class Forecast:
    """Learns from each piece of work that is done."""

    def __init__(self) -> None:
        self._seconds = defaultdict[str, list[float]](list)
        self._rates = defaultdict[str, list[float]](list)

    def knows(self, predictors: Predictors) -> bool:
        """Whether something of this kind has been done."""
        return predictors.kind in self._seconds

    def learn(self, predictors: Predictors, seconds: float) -> bool:
        """Whether it was the first of its kind, which moves the forecasts of all work like it."""
        first = not self.knows(predictors)
        self._seconds[predictors.kind].append(seconds)
        if predictors.flops > 0 and seconds > 0:
            for group in (predictors.model, ANY):
                self._rates[group].append(predictors.flops / seconds)
        return first

    def seconds(self, predictors: Predictors) -> float:
        """The median of its kind's; else its FLOPs at the median rate of its model, or of all work."""
        if self.knows(predictors):
            return median(self._seconds[predictors.kind])
        # Seconds that were measured and seconds from FLOPs are compared, so that the latter need a rate that was measured too.
        rates = self._rates.get(predictors.model) or self._rates.get(ANY) or [UNKNOWN_RATE]
        return predictors.flops / median(rates)
