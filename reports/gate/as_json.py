"""A comparison for programs. Keys may come; none goes."""

from math import exp
from typing import Any

from reports.gate.change import Change
from reports.gate.compared import Compared


def changes_as_json(comparison: Compared) -> dict[str, Any]:
    """One object; of costs `change`, its bounds, `within` and `finds` are quotients, of all else differences."""
    return {
        "schema_version": 1,
        "new": comparison.new.name,
        "old": comparison.old.name,
        "status": comparison.status,
        "within": {"points": comparison.within.points, "nats": comparison.within.nats, "percent": comparison.within.percent},
        "changes": [_change(change) for change in comparison.changes],
        "failing": list(comparison.broken),
        "not_comparable": list(comparison.refused),
        "changed": list(comparison.told),
    }


def _change(change: Change) -> dict[str, Any]:
    held, detectable = change.held, change.detectable
    suite, model, task = held.row.group
    low, high = held.bounds
    # Inside, costs are logarithms, whose differences are quotients to everybody else.
    write = exp if held.question == "cost" else float
    return {
        "suite": suite,
        "model": model,
        "task": task,
        "strategy": held.row.setup.strategy,
        "row": held.row.label,
        "question": held.question,
        "what": held.term,
        "name": held.name,
        "unit": held.quantity.unit,
        "share": held.quantity.share,
        "old": held.old,
        "new": held.new,
        "change": write(held.value),
        "ci_low": write(low),
        "ci_high": write(high),
        "p": change.p,
        "paired": held.paired,
        "verdict": change.verdict,
        "within": write(held.within),
        "finds": {
            "value": write(detectable.value),
            "low": write(detectable.low),
            "high": write(detectable.high),
            "floor": write(detectable.floor),
        },
    }
