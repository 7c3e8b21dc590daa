"""Results that were accepted: what later ones are held against. Each is a folder of its own with records like any other's, so
that earlier ones stay as history."""

import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

import pandas as pd
from pydantic import BaseModel, ConfigDict, ValidationError

from bench.errors import UserError
from bench.folders import faults_told, write_text, writing
from bench.records import store
from bench.records.record import Record

ACCEPTED_NOTE = "accepted.json"
KEPT_KINDS = ("task", "elsewhere", "probe")
KEPT_COLUMNS = (
    "kind",
    "name",
    "item",
    "cluster",
    "gold",
    "before",
    "prediction",
    "seen",
    "before_value",
    "value",
    "weight",
)
"""Of answers per item: what scores, gains and losses are made of, and nothing that a person reads."""


class AcceptedNote(BaseModel):
    """What stands in accepted.json."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    accepted: datetime
    """UTC."""
    commit: str | None = None
    """Of the code that made the results."""


@dataclass(frozen=True)
class Accepted:
    """Results that were accepted once."""

    folder: Path
    note: AcceptedNote

    @property
    def name(self) -> str:
        """`2026-11-26 ab12cd34`"""
        return f"{self.note.accepted:%Y-%m-%d} {(self.note.commit or '')[:8]}".strip()

    @property
    def records(self) -> list[Record]:
        return store.read_all(self.folder)


def accepted_in(folder: Path) -> list[Accepted]:
    """All that were accepted into a folder, the oldest first; none where it is no such folder."""
    # A folder that begins with a dot is still being written, or was left so.
    baselines = [Accepted(path.parent, _read_note(path)) for path in folder.glob(f"[!.]*/{ACCEPTED_NOTE}")]
    return sorted(baselines, key=lambda each: (each.note.accepted, each.folder.name))


def accepted_of(folder: Path, suite: str | None) -> list[tuple[Accepted, list[Record]]]:
    """What was accepted of a suite, or of all, with its records, the oldest first.

    Raises:
        UserError: nothing was.
    """
    baselines = [(each, list(store.of_suite(each.records, suite))) for each in accepted_in(folder)]
    if kept := [(each, records) for each, records in baselines if records]:
        return kept
    of = f" of suite {suite}" if suite else ""
    raise UserError(f"nothing{of} was accepted into {folder}; `tunebench baseline accept OUT --to {folder}` does so")


def _read_note(path: Path) -> AcceptedNote:
    try:
        return AcceptedNote.model_validate_json(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        fault = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise UserError(f"{path}: not the note of an accepted baseline ({fault}); delete its folder") from error


def accept(out: Path, to: Path, commit: str | None, now: datetime, suite: str | None = None) -> Accepted:
    """Keep a folder's results, or a suite's, as the baseline of later ones. What failed is kept too: failing again is no news.

    Raises:
        UserError: there are no results with a score, or `to` cannot be written.
    """
    records = list(store.of_suite(store.read_all(out), suite))
    if not any(record.status == "ok" for record in records):
        raise UserError(f"no results with a score in {store.folder(out)}; run a suite first")
    note = AcceptedNote(accepted=now.astimezone(UTC).replace(microsecond=0), commit=commit)
    baseline = Accepted(_new_folder(to, note), note)
    with writing(baseline.folder, folder=True) as temporary:
        for record in records:
            items = store.read_items(out, record)
            store.write_record(temporary, record)
            if not items.empty:
                _write_items(store.folder(temporary) / f"{record.run_id}.parquet", items)
        # The note comes last: without it a folder is no baseline.
        write_text(temporary / ACCEPTED_NOTE, note.model_dump_json(indent=1))
    return baseline


def _new_folder(to: Path, note: AcceptedNote) -> Path:
    """Named by date and commit, and a number where another command accepts in the same second: nothing is replaced."""
    # A commit may be given by hand, and becomes a part of a folder's name.
    commit = re.sub(r"[^0-9A-Za-z-]", "", note.commit or "")[:12]
    name = f"{note.accepted:%Y%m%dT%H%M%SZ}{f'-{commit}' if commit else ''}"
    with faults_told(to):
        to.mkdir(parents=True, exist_ok=True)
        for number in count(1):
            folder = to / (name if number == 1 else f"{name}-{number}")
            with suppress(FileExistsError):
                folder.mkdir()
                return folder
    raise AssertionError  # `count` has no end


def _write_items(path: Path, items: pd.DataFrame) -> None:
    kept = items.loc[items["kind"].isin(KEPT_KINDS), [column for column in KEPT_COLUMNS if column in items]]
    with writing(path) as temporary:
        # Baselines lie in a repository for ever, and are written once.
        kept.dropna(axis=1, how="all").to_parquet(temporary, index=False, compression="zstd", compression_level=19)
