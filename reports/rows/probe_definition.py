"""The definition of a run's probe as a short hash, by which rows tell whether two of one name asked the same."""

from bench.hashing import digest
from bench.records.record import Record


def probe_definition(record: Record, name: str) -> str | None:
    """A hash of the probe's definition, its data included, without its limit, which the number of items tells; None where the
    record does not know it."""
    probes = record.provenance.inputs.get("probes") or []
    return next((digest(shape)[:6] for shape, _ in probes if shape["name"] == name), None)
