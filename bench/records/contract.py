"""A record as `tunebench results --json` shows it: flat keys that do not change when the schema does.

Keys may come; none goes.
"""

from collections.abc import Sequence
from typing import Any

from bench.records.outcome import Elsewhere, Gain, Outcome
from bench.records.record import Provenance, Record, Trust, Tuning

Json = dict[str, Any]
ORIGIN = ("engine_version", "trust_remote_code", "started", "inputs")


def as_contract(
    record: Record, seed_sd: float | None = None, rank: tuple[int, int] | None = None, unequal: Sequence[str] = ()
) -> Json:
    """The keys of schema 1, in its order, and then those that came later. `seed_sd` and `rank`, its best and its worst place,
    are those of the run's row, and `unequal` is said of its table: no single record knows them."""
    return {
        "schema_version": record.schema_version,
        "run_id": record.run_id,
        "suite": record.setup.suite,
        "model": record.setup.model,
        "task": record.setup.task,
        "strategy": record.setup.strategy,
        "seed": record.setup.seed,
        "status": record.status,
        "reason": record.reason,
        **_outcome_keys(record.outcome, record.trust),
        "checks": record.trust.checks,
        "cost": record.cost.model_dump(mode="json") if record.cost else None,
        "losses": record.outcome.losses if record.outcome else [],
        "validation": record.outcome.validation if record.outcome else [],
        "hyperparameters": record.setup.hyperparameters,
        "budget": record.setup.budget,
        "tuning": _tuning_keys(record.setup.tuning),
        "versions": record.provenance.versions,
        "device": record.provenance.device,
        "provenance": _provenance_keys(record.provenance, record.trust),
        "environment_id": record.provenance.environment_id,
        "asked": record.outcome.asked if record.outcome else None,
        "seed_sd": seed_sd,
        "rank": rank,
        **_keys_beside_the_score(record.outcome),
        "source": record.provenance.source.model_dump() if record.provenance.source else None,
        "spending": record.spending.model_dump(mode="json") if record.spending else None,
        "overran": record.overran,
        "unequal": list(unequal),
    }


def _outcome_keys(outcome: Outcome | None, trust: Trust) -> Json:
    if outcome is None:
        # A program may read each key of each record.
        missing = dict.fromkeys(("score", "base_score", "robustness", "relative_forgetting", "stages"))
        return {"metrics": {}, "elsewhere": {}, "forgetting": {}, "curve": [], **_gain_keys(None), **missing}
    whole = outcome.model_dump(mode="json")
    # Schema 1 counted contaminated items there, and its keys stay.
    forgetting = {
        name: {**part, "contaminated": trust.contamination.get(name, 0)} for name, part in whole["forgetting"].items()
    }
    return {
        "score": whole["score"],
        "metrics": whole["metrics"],
        "base_score": outcome.base_score,
        **_gain_keys(outcome.gain),
        "elsewhere": {name: _other_set_keys(part) for name, part in outcome.elsewhere.items()},
        "robustness": whole["robustness"],
        "forgetting": forgetting,
        "relative_forgetting": outcome.relative_forgetting,
        "curve": whole["curve"],
        "stages": whole["stages"],
    }


def _keys_beside_the_score(outcome: Outcome | None) -> Json:
    """What the score is to be seen beside: the base in its best words, answers without a model, and whether it collapsed."""
    if outcome is None:
        return {"best_base": None, "references": {}, "collapsed": None}
    return outcome.model_dump(mode="json", include={"best_base", "references", "collapsed"})


def _other_set_keys(part: Elsewhere) -> Json:
    whole = part.model_dump(mode="json", include={"score", "metrics", "base_score", "best_base"})
    return {**whole, **_gain_keys(part.gain)}


def _tuning_keys(tuning: Tuning) -> Json:
    """Whole where anything was tried here; else the number alone."""
    return tuning.model_dump(mode="json") if tuning.tried else {"trials": tuning.trials}


def _gain_keys(gain: Gain | None) -> Json:
    if gain is None:
        return dict.fromkeys(("gain", "gain_ci_low", "gain_ci_high"))
    return {"gain": gain.value, "gain_ci_low": gain.ci_low, "gain_ci_high": gain.ci_high}


def _provenance_keys(source: Provenance, trust: Trust) -> Json | None:
    """None where no run came so far as to have one."""
    if source.started is None and not source.inputs:
        return None
    hashes = {"model_hash": source.model_hash, "data_hash": source.data_hash}
    return {**hashes, "data": trust.data, **{name: getattr(source, name) for name in ORIGIN}}
