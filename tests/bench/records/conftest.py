"""Real files of older engines: records of schema 1, of the first day of schema 2, trials and a judge's verdicts.

Those of `v1` are shortened by hand, but for the endpoint's; all else is as the oldest engine that could write it left it.
"""

import json
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bench.records import store
from bench.records.record import Record
from bench.records.trial import TrialRecord

SAMPLES = Path(__file__).parent / "samples"


@pytest.fixture(params=sorted((SAMPLES / "v1").glob("*.json")), ids=lambda path: path.stem)
def of_schema_1(request) -> Path:
    return request.param


@pytest.fixture(params=sorted((SAMPLES / "v2").glob("*.json")), ids=lambda path: path.stem)
def of_schema_2(request) -> Path:
    return request.param


@pytest.fixture(params=sorted((SAMPLES / "trials" / "v1").glob("*.json")), ids=lambda path: path.stem)
def old_trial(request) -> Path:
    return request.param


@pytest.fixture
def sampled_trial() -> TrialRecord:
    """The second trial of the search whose run left `v2/tuned.json`."""
    return TrialRecord.model_validate_json((SAMPLES / "trials" / "v1" / "sampled.json").read_text(encoding="utf-8"))


@pytest.fixture
def old_judged() -> Path:
    return SAMPLES / "judged" / "v1" / "pair.json"


@pytest.fixture
def laid_out(tmp_path) -> Callable[[str], Path]:
    """A folder of results that holds one sample, as `v1/endpoint`, under the names that its engine gave its files."""

    def lay_out(name: str) -> Path:
        record = SAMPLES / f"{name}.json"
        records = tmp_path / "records"
        records.mkdir()
        run = json.loads(record.read_text(encoding="utf-8"))["run_id"]
        for kept in (record, record.with_suffix(".parquet")):
            shutil.copy(kept, records / f"{run}{kept.suffix}")
        return tmp_path

    return lay_out


def _lost(old: Any, new: Any, place: str) -> Iterator[str]:
    if isinstance(old, dict) and isinstance(new, dict):
        for name, value in old.items():
            yield from _lost(value, new.get(name, "(no such field)"), f"{place}.{name}" if place else name)
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _lost(one, other, f"{place}[{number}]")
    elif old != new:
        yield f"{place}: {old!r} is now {new!r}"


@pytest.fixture
def lost() -> Callable[[Any, Any], list[str]]:
    """What an old file's JSON says, and the same file as it is read now says otherwise; new fields may stand beside it."""
    return lambda old, new: list(_lost(old, new, ""))


@pytest.fixture
def sample() -> Any:
    """A record of schema 1 by name, as JSON."""
    return lambda name: json.loads((SAMPLES / "v1" / f"{name}.json").read_text(encoding="utf-8"))


@pytest.fixture
def old_of_2() -> Callable[[str], Record]:
    """A record of the first days of schema 2 by name, as it is read."""
    return lambda name: store.read_record(SAMPLES / "v2" / f"{name}.json")
