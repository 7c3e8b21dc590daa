"""How many items of each probe a plan asks: so many as the user says, or as many as finding a loss of some size needs."""

from bench.probes import Probe
from bench.specs.probe import ProbeSpec
from bench.specs.probe_power import ProbePower


def items_needed(kind: type[Probe], power: ProbePower) -> int | None:
    """By what training was seen to do to items of the kind; None where the kind has no number of the unit that is asked."""
    from bench.statistics.power import items_for_mean, items_for_share  # scipy's distributions, which take half a second

    if kind.discordance is not None:
        return None if power.share is None else items_for_share(power.share, kind.discordance)
    wanted = power.share if kind.share else power.nats
    return None if wanted is None or kind.spread is None else items_for_mean(wanted, kind.spread)


def items_by_power(kind: type[Probe], spec: ProbeSpec, power: ProbePower) -> tuple[int, str | None]:
    """The limit, and a sentence where the probe has too few items, or no number of that unit and keeps its own limit."""
    needed = items_needed(kind, power)
    if needed is None:
        return spec.items, f"probe '{spec.name}' asks its {spec.items} items: the power is in another unit than its numbers"
    most = kind.available_items(spec)
    if needed > most:
        return most, f"probe '{spec.name}' would need {needed:,} items for that power, and has {most:,}: all are asked"
    return needed, None
