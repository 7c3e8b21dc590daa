"""Numbers as text, the same in tables, pages and plots; what is not finite is a dash, never `nan`."""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from bench.records.outcome import Forgetting, Score
from bench.statistics.estimates import Estimate
from bench.statistics.probed import RANKINGS

MISSING = "–"
SCALES = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))


@dataclass(frozen=True)
class Quantity:
    """What a number measures. Differences of shares are given in points (hundredths); all others keep their own unit."""

    name: str
    share: bool
    of_score: bool = field(default=False, compare=False)
    """Whether it is a metric, whose name is its unit: brackets of an imported one hold how answers were filtered."""

    @property
    def unit(self) -> str:
        """Unit of a difference: of a probe's `loss (nats per token)`, `nats per token`."""
        if self.share:
            return "points"
        if self.of_score:
            return self.name
        _, bracket, inside = self.name.partition("(")
        return inside.rstrip(")") if bracket else self.name

    @property
    def share_of_items(self) -> bool:
        """Whether one item of n moves it by no more than 1 / n. An order of pairs is a share too, and each item is in many."""
        return self.share and self.name not in RANKINGS


RELATIVE_FORGETTING = Quantity("relative forgetting", share=True)


def quantity_of(part: Score | Forgetting) -> Quantity:
    """What a part of a record measures, as the record says it."""
    if isinstance(part, Score):
        return Quantity(part.name, part.share, of_score=True)
    return Quantity(part.value_name, part.share)


def finite(value: float | None) -> bool:
    return value is not None and math.isfinite(value)


def share(value: float) -> str:
    """Three decimals without the leading zero: .861, 1.000."""
    text = _fixed_digits(value, 3)
    # In 10.500 the zero before the point is no leading one.
    return text.replace("0.", ".", 1) if abs(value) < 0.9995 else text


def points(value: float) -> str:
    """A signed difference of shares in points: +12.3."""
    return _fixed_digits(100 * value, 1, sign=True)


def level(value: float, quantity: Quantity) -> str:
    return share(value) if quantity.share else _in_own_unit(value)


def difference(value: float, quantity: Quantity) -> str:
    return points(value) if quantity.share else _in_own_unit(value, sign=True)


def span(value: float, quantity: Quantity) -> str:
    """An unsigned difference, in points or in its own unit."""
    return _fixed_digits(100 * value, 1) if quantity.share else _in_own_unit(value)


def found_from(value: float, quantity: Quantity, write: Callable[[float, Quantity], str] = span) -> str:
    """The smallest difference that a test finds; `over 100` where no two shares are so far apart."""
    return "over 100" if quantity.share and quantity != RELATIVE_FORGETTING and value > 1 else write(value, quantity)


def brackets(estimate: Estimate, quantity: Quantity, signed: bool) -> str:
    """`[.837, .884]`, with a dagger where items are held by the runs' own bounds; empty where there is none."""
    if estimate.low is None or estimate.high is None or not (finite(estimate.low) and finite(estimate.high)):
        return ""
    write = difference if signed else level
    mark = "†" if estimate.basis == "bounds" else ""
    return bracketed((estimate.low, estimate.high), lambda value: write(value, quantity)) + mark


def signed(estimate: Estimate, quantity: Quantity) -> str:
    """A difference with its interval, where it has one: `+2.1 [+0.4, +3.8]`."""
    return f"{difference(estimate.value, quantity)} {brackets(estimate, quantity, signed=True)}".rstrip()


def bracketed(bounds: Sequence[float] | None, write: Callable[[float], str]) -> str:
    """`[1.40, 1.75]`; empty where there are no bounds."""
    return f"[{', '.join(map(write, bounds))}]" if bounds else ""


def seed_sd(estimate: Estimate, quantity: Quantity) -> str:
    """`seed SD 2.1 points`; empty where there is one seed."""
    return "" if estimate.seed_sd is None else f"seed SD {span(estimate.seed_sd, quantity)} {quantity.unit}"


def percent(value: float | None) -> str:
    return f"{_three_digits(100 * value)} %" if value is not None and finite(value) else MISSING


def quotient(value: float) -> str:
    """A signed quotient with three significant digits: +0.0031."""
    # Minus zero becomes zero.
    return f"+{_three_digits(value)}" if finite(value) and value > 0 else _three_digits(value + 0.0)


def in_unit(value: float, quantity: Quantity) -> float:
    """A difference as it is shown: shares in points, all else as it is."""
    return 100 * value if quantity.share else value


def rate(value: float) -> str:
    """3.2 %"""
    return f"{_fixed_digits(100 * value, 1)} %" if finite(value) else MISSING


def multiple(value: float) -> str:
    """How many times as much: 1.00, 2.17, 13.4."""
    return _three_digits(value)


def money(value: float) -> str:
    """An amount in a currency that no record names: 12.35, 0.00412."""
    return (f"{value:,.2f}" if abs(value) >= 1 else f"{value:.3g}") if finite(value) else MISSING


def counts_between(counts: Sequence[float]) -> str:
    """`64`, or `48 to 64` where counts differ; rounded down, since a part of one more is none."""
    low, high = int(min(counts)), int(max(counts))
    return f"{low:,}" if low == high else f"{low:,} to {high:,}"


def item_counts(counts: Sequence[int]) -> str:
    """`64 items`, or `48 to 64 items`."""
    return f"{counts_between(counts)} items"


def integer(value: float) -> str:
    return f"{value:,.0f}" if finite(value) else MISSING


def seconds(value: float) -> str:
    return _three_digits(value)


def gigabytes(value: float) -> str:
    """In units of 10^9 bytes."""
    return _fixed_digits(value / 1e9, 2)


def scaled(value: float, unit: str = "") -> str:
    """Three significant digits and a decimal prefix: 2.44 M, 17.5 MB."""
    if not finite(value):
        return MISSING
    for factor, prefix in SCALES:
        # What is rounded to 1,000 of a unit is 1.00 of the next.
        if abs(value) >= 0.9995 * factor:
            return f"{_three_digits(value / factor)} {prefix}{unit}"
    return f"{value:,.0f} {unit}".rstrip()


def _fixed_digits(value: float, digits: int, sign: bool = False) -> str:
    if not finite(value):
        return MISSING
    value = round(value, digits) + 0.0  # no -0.0
    return f"{value:+,.{digits}f}" if sign and value else f"{value:,.{digits}f}"


def _in_own_unit(value: float, sign: bool = False) -> str:
    """A number in its own unit: three decimals, of large ones (a perplexity) fewer, down to five significant digits."""
    if finite(value) and abs(value) >= 1e7:
        return f"{value:{'+' if sign else ''}.2e}"
    large = math.floor(math.log10(abs(value))) if finite(value) and value else 0
    return _fixed_digits(value, min(max(4 - large, 0), 3), sign)


def _three_digits(value: float) -> str:
    """Three significant digits, and no exponent: 0.416, 12.3, 1,234."""
    if not finite(value):
        return MISSING
    rounded = float(f"{value:.2e}")  # .9996 is 1.00, with a digit less
    digits = 2 - math.floor(math.log10(abs(rounded))) if rounded else 0
    return f"{value:,.{min(max(digits, 0), 4)}f}"
