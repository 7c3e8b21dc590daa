"""Which runs are done: a finished one is never run again, unless its environment changed and the user asks for it."""

from collections.abc import Iterable, Mapping

from bench.records.environment_difference import differing
from bench.records.record import Record

Environment = Mapping[str, str]


def is_finished(record: Record | None, now: Environment, rerun_on_change: bool) -> bool:
    """Whether a run has its answer: a record that did not fail, and where that is asked for, one from this environment.

    A record from before environments were recorded may be from any, so it counts as one from another.
    """
    if record is None or record.status == "failed":
        return False
    if record.status == "skipped":
        # It has no number that a change could move, and hangs on the question alone, or on the device: what does not fit into a
        # ceiling of memory on a CPU, where 8-bit weights come from fp32 ones, may fit on a GPU. To skip again costs nothing.
        return record.provenance.environment.get("device", now.get("device")) == now.get("device")
    return not rerun_on_change or record.provenance.environment == now


def kept_from_elsewhere(finished: Iterable[Record], now: Environment) -> str | None:
    """A sentence on the finished runs whose environment differs, and what differs; None where there are none."""
    scored = [record for record in finished if record.status == "ok"]
    others = [environment for record in scored if (environment := record.provenance.environment) != now]
    if not others:
        return None
    pairs = [pair for other in others if other for pair in differing(other, now).items()]
    changes = dict.fromkeys(f"{name} {before} -> {after}" for name, (before, after) in pairs)
    if not all(others):
        changes["an environment that is not recorded"] = None
    many = f"{len(others)} finished runs are" if len(others) > 1 else "1 finished run is"
    return f"{many} kept from another environment ({', '.join(changes)}); --rerun-on-change does them again"
