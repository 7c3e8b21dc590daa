"""How small a loss each probe would have shown, so that "no loss" can be read for what it is worth."""

from collections.abc import Sequence

from reports.rows import numbers
from reports.rows.row import Row


def losses_shown(rows: Sequence[Row]) -> list[str]:
    """`wikipedia 0.011 nats per token` for each probe of which a loss is known: that of the row where it would have shown
    least, four times out of five."""
    largest: dict[str, tuple[float, numbers.Quantity]] = {}
    for row in rows:
        for name, probe in row.forgetting.items():
            if probe.smallest is not None and (name not in largest or probe.smallest > largest[name][0]):
                largest[name] = probe.smallest, probe.quantity
    return [f"{name} {numbers.found_from(value, quantity)} {quantity.unit}" for name, (value, quantity) in largest.items()]
