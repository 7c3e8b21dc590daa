"""A trial of tuning: one training with hyper-parameters that a search asked for, scored on validation items alone.

Trials lie beside the records, in `trials/`: no table, page or audit takes them for results. The search is rebuilt from them at
every start, and knows nothing else.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import Field

from bench.errors import UserError
from bench.folders import write_text
from bench.records.outcome import Part, Score, first_fault
from bench.records.record import Cost, Provenance, Setup, Spending


class Rung(Part):
    """Where a trial is looked at on its way, and may be pruned."""

    share: float = Field(gt=0, lt=1)
    """Of its steps."""
    score: float
    """Validation score there, signed so that more is better."""


class TrialRecord(Part):
    """One training of a trial. One that failed has a reason; it counts as a trial with the worst score."""

    schema_version: Literal[1] = 1
    trial_id: str
    """A hash of `provenance.inputs`."""
    status: Literal["ok", "pruned", "failed"]
    reason: str | None = None
    setup: Setup
    sampled: dict[str, Any]
    """The hyper-parameters that are searched, by name; dots reach into nested ones."""
    score: Score | None = None
    """On validation items; of a pruned trial where it was pruned."""
    rungs: list[Rung] = []
    cost: Cost | None = None
    """What it spent, to its end or until it was pruned or failed; None where that is not known."""
    spending: Spending | None = None
    """What it took of its own budget; None of one that failed."""
    beyond_budget: bool = False
    """Whether it failed because no machine could do it in the budget: an example is larger, or it does not fit the memory."""
    provenance: Provenance

    @property
    def final(self) -> bool:
        """Whether it would end the same once more. What failed for a reason of its machine (a full disk, a worker that died, a
        step that took too long) left no account of what it spent, as one does whose loss was no number or whose budget did not
        do."""
        return self.status != "failed" or self.cost is not None

    @property
    def worth(self) -> float | None:
        """The score, signed so that more is better."""
        return None if self.score is None else self.score.value * (1.0 if self.score.higher_is_better else -1.0)


def as_words(values: Mapping[str, Any]) -> str:
    """Hyper-parameters for a person: `learning_rate 0.0002, schedule linear`."""
    return ", ".join(f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}" for name, value in values.items())


def trials_folder(out: Path) -> Path:
    return out / "trials"


def write_trial(out: Path, trial: TrialRecord) -> Path:
    path = trials_folder(out) / f"{trial.trial_id}.json"
    write_text(path, trial.model_dump_json(indent=1))
    return path


def find_trial(out: Path, trial_id: str) -> TrialRecord | None:
    path = trials_folder(out) / f"{trial_id}.json"
    return _read_trial(path) if path.exists() else None


def read_trials(out: Path) -> list[TrialRecord]:
    """All of a folder, in the order of their ids."""
    return [_read_trial(path) for path in sorted(trials_folder(out).glob("*.json"))]


def _read_trial(path: Path) -> TrialRecord:
    try:
        # Pydantic's error is a ValueError, and so is that of bytes which are no UTF-8.
        return TrialRecord.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise UserError(f"{path}: not a trial ({first_fault(error)}); delete it, and it is done again") from error
