"""How long work will take: by what work like it took, and by FLOPs where none has been done.

FLOPs alone put runs in a poor order. An encoder, a decoder and a base in 8 bit do very different numbers of them in a second,
and a training others than a test: docs/placement.md has how far off either is.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median

UNKNOWN_RATE = 5e10
"""FLOP/s where nothing has been done; which number it is changes no order."""


@dataclass(frozen=True)
class Like:
    """A piece of work, by what its seconds hang on."""

    kind: str
    """Equal for what costs the same: a run's seeds, a search's trials."""
    groups: tuple[str, ...]
    """Work that does about as many FLOPs in a second, by narrowing words: the most alike first."""
    flops: float


class Forecast:
    """Learns from each piece of work that is done."""

    def __init__(self) -> None:
        self._seconds = defaultdict[str, list[float]](list)
        self._rates = defaultdict[str, list[float]](list)

    def knows(self, like: Like) -> bool:
        """Whether something of this kind has been done."""
        return like.kind in self._seconds

    def learn(self, like: Like, seconds: float) -> None:
        self._seconds[like.kind].append(seconds)
        if like.flops > 0 and seconds > 0:
            for group in self._all(like.groups):
                self._rates[group].append(like.flops / seconds)

    def seconds(self, like: Like) -> float:
        """The median of its kind's; else its FLOPs at the median rate of the narrowest group that has one."""
        if self.knows(like):
            return median(self._seconds[like.kind])
        rates = next((self._rates[group] for group in self._all(like.groups) if group in self._rates), [UNKNOWN_RATE])
        return like.flops / median(rates)

    @staticmethod
    def _all(groups: tuple[str, ...]) -> Iterable[str]:
        # The widest holds all work, so that seconds that were measured and seconds from FLOPs can be compared.
        return (*groups, "")
