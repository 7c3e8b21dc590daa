"""A comparison for programs. Keys may come; none goes."""

from dataclasses import asdict
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
        "within": asdict(comparison.within),
        "changes": [_change_object(change) for change in comparison.changes],
        "failing": list(comparison.broken),
        "not_comparable": list(comparison.refused),
        "changed": list(comparison.remarks),
        "notes": list(comparison.notes),
    }


def _change_object(change: Change) -> dict[str, Any]:
    difference, detectable = change.difference, change.detectable
    suite, model, task = difference.row.group
    low, high = difference.bounds
    # Inside, costs are logarithms, whose differences are quotients to everybody else.
    write = exp if difference.question == "cost" else float
    return {
        "suite": suite,
        "model": model,
        "task": task,
        "strategy": difference.row.setup.strategy,
        "row": difference.row.label,
        "question": difference.question,
        "what": difference.term,
        "name": difference.name,
        "unit": difference.quantity.unit,
        "share": difference.quantity.share,
        "old": difference.old,
        "new": difference.new,
        "change": write(difference.value),
        "ci_low": write(low),
        "ci_high": write(high),
        "p": change.p,
        "paired": difference.paired,
        "verdict": change.verdict,
        "within": write(difference.within),
        "finds": {
            "value": write(detectable.value),
            "low": write(detectable.low),
            "high": write(detectable.high),
            "floor": write(detectable.floor),
        },
    }
