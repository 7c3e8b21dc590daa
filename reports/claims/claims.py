"""The claims of claims.yaml, and what a model's rows say to each."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict

from bench.groups import groups_by
from reports.claims import rules
from reports.claims.evidence import ClaimVerdict, Evidence, Weighed, together, weighed
from reports.claims.rows import usable
from reports.rows.row import Row

CLAIMS = Path(__file__).with_suffix(".yaml")


class Claim(BaseModel):
    """What people say of fine-tuning, and the rule by which it is tested."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    statement: str
    rule: str


@dataclass(frozen=True)
class Tested:
    """A claim, and the comparisons that one model's rows have for it; without any nothing is said."""

    name: str
    claim: Claim
    parts: Sequence[Weighed]

    @property
    def verdict(self) -> ClaimVerdict | None:
        return together(self.parts) if self.parts else None

    def counted(self, verdict: ClaimVerdict) -> int:
        return sum(part.verdict == verdict for part in self.parts)


@cache
def all_claims() -> dict[str, Claim]:
    """Name -> claim, in the file's order."""
    raw = yaml.safe_load(CLAIMS.read_text(encoding="utf-8"))
    return {name: Claim(**fields) for name, fields in raw.items()}


def tested(rows: Sequence[Row]) -> dict[str, list[Tested]]:
    """Model -> all claims; comparisons of one model are looked at together (Holm)."""
    models = groups_by(usable(rows), lambda row: row.setup.model)
    return {model: _tested_on_model(of_model) for model, of_model in models.items()}


def _tested_on_model(rows: Sequence[Row]) -> list[Tested]:
    # All claims are put into one list, since Holm corrects for all that is asked of a model.
    evidence: list[tuple[str, Evidence]] = [(name, each) for name in all_claims() for each in getattr(rules, name)(rows)]
    parts = list(zip((name for name, _ in evidence), weighed([each for _, each in evidence]), strict=True))
    return [Tested(name, claim, [part for own, part in parts if own == name]) for name, claim in all_claims().items()]
