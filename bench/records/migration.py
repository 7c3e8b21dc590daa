"""Records of older schemas as records of this one. What an older record does not know stays None or empty.

A migration moves values and computes none. What it does not know stays at the top, where the schema refuses it by name.
"""

from typing import Any

from bench.records.record import SCHEMA_VERSION

Raw = dict[str, Any]
# Names of schema 1 by their group in schema 2. They are written out, because the classes will go on to later schemas.
TOP = ("run_id", "status", "reason", "cost")
SETUP = ("suite", "model", "task", "strategy", "hyperparameters", "seed", "budget", "tuning")
SCORED = ("score", "metrics", "base_score", "gain", "elsewhere", "robustness", "forgetting", "relative_forgetting")
ON_THE_WAY = ("curve", "stages", "losses", "validation")
MACHINE = ("versions", "device")


class NewerSchema(Exception):  # noqa: N818 (it is no fault of the record)
    """A record was written by a tunebench that is newer than this one."""


def migrated(raw: Raw) -> Raw:
    """A record's JSON object in the present schema.

    Raises:
        NewerSchema: its schema is newer than this tunebench.
    """
    version = raw.get("schema_version")
    if isinstance(version, int) and version > SCHEMA_VERSION:
        raise NewerSchema(f"it has schema {version}, and this tunebench knows schemas up to {SCHEMA_VERSION}")
    return _from_1(raw) if version == 1 else raw


def _from_1(raw: Raw) -> Raw:
    """Schema 1 had 31 fields side by side; 2 groups them."""
    rest = {**raw}
    del rest["schema_version"]
    _nest_gain(rest)
    rest["elsewhere"] = {name: _nest_gain(dict(part)) for name, part in (rest.get("elsewhere") or {}).items()}
    contamination = _contamination(rest)
    origin = rest.pop("provenance", None) or {}
    trust = {"checks": rest.pop("checks", {}), "contamination": contamination, "data": origin.get("data", {})}
    provenance = _pop_named(rest, MACHINE) | {name: origin[name] for name in origin if name != "data"}
    setup = _pop_named(rest, SETUP)
    outcome = _pop_named(rest, (*SCORED, *ON_THE_WAY))
    return {
        "schema_version": 2,
        **_pop_named(rest, TOP),
        "setup": setup,
        # In schema 1 all records had these fields, and where nothing was scored they were empty.
        "outcome": outcome if outcome.get("score") else None,
        "trust": trust,
        "provenance": provenance,
        **rest,
    }


def _pop_named(raw: Raw, names: tuple[str, ...]) -> Raw:
    """The values of these names, taken out of `raw`."""
    return {name: raw.pop(name) for name in names if name in raw}


def _nest_gain(raw: Raw) -> Raw:
    """`gain`, `gain_ci_low` and `gain_ci_high` as one object, in place."""
    value, low, high = (raw.pop(name, None) for name in ("gain", "gain_ci_low", "gain_ci_high"))
    raw["gain"] = None if value is None else {"value": value, "ci_low": low, "ci_high": high}
    return raw


def _contamination(raw: Raw) -> dict[str, int]:
    """Counts of contaminated items, taken out of each probe's forgetting."""
    raw["forgetting"] = {name: dict(probe) for name, probe in (raw.get("forgetting") or {}).items()}
    return {name: probe.pop("contaminated", 0) for name, probe in raw["forgetting"].items()}
