"""The page's parts of the suites, kept beside the page from one writing to the next: a suite is read and counted again only
where one of its records, or this code, has changed.

A record is known by its file's name, size and time of change. `summary/` can be deleted at any time.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import reports
from bench.errors import UserError
from bench.folders import faults_told, write_text
from bench.hashing import digest
from bench.records import store
from bench.records.contract import Json
from bench.records.record import Record
from reports.page.suite import suite_part
from reports.rows.fairness import check_comparable
from reports.rows.rows import aggregate, ranked
from reports.rows.transfer import mixed

READ_BY = ("reports", "bench/records", "bench/statistics", "bench/metrics")
"""What a part is made by: of another code its parts are made anew."""
Stamps = Mapping[str, Sequence[int]]
"""Name of a file of records/ -> its size in bytes and its time of change in ns."""


def kept_parts(results: Path, out: Path, allow_unequal: bool) -> list[Json]:
    """The parts of all suites in the order of their names.

    Raises:
        UserError: a file is no record, or rows of one table answer different questions and `allow_unequal` does not admit them.
    """
    stamps = _stamps(results)
    known = _index(results, out / "summary", stamps)
    suites: dict[str, list[str]] = {}
    for run, (_, suite, _) in known.items():
        suites.setdefault(suite, []).append(run)
    parts = [_part(results, out / "summary", suites[name], known, stamps) for name in sorted(suites)]
    _forget(out / "summary", suites)
    refused = [part["refused"] for part in parts if part["refused"]]
    if refused and not allow_unequal:
        raise UserError(refused[0])
    return parts


def _stamps(results: Path) -> Stamps:
    files = store.folder(results).glob("*.*")
    return {
        path.name: [(known := path.stat()).st_size, known.st_mtime_ns] for path in files if path.suffix in (".json", ".parquet")
    }


def _index(results: Path, folder: Path, stamps: Stamps) -> dict[str, tuple[Sequence[int], str, bool]]:
    """Each run's stamp, suite, and whether it mixes tasks: such a run is held against runs of other suites."""
    kept = _read(folder / "index.json") or {}
    found = {}
    for name in sorted(stamps):
        run, _, ending = name.rpartition(".")
        if ending != "json":
            continue
        old = kept.get(run)
        if old and old[0] == stamps[name]:
            found[run] = (old[0], old[1], old[2])
        else:
            record = store.stored_record(store.folder(results) / name)
            found[run] = (stamps[name], record.setup.suite, bool(mixed(record)))
    if found.keys() != kept.keys() or any(list(each) != kept[run] for run, each in found.items()):
        write_text(folder / "index.json", json.dumps(found))
    return found


def _part(results: Path, folder: Path, runs: Sequence[str], known: Mapping[str, Any], stamps: Stamps) -> Json:
    name, mixes = known[runs[0]][1], any(known[run][2] for run in runs)
    asked = known if mixes else runs
    files = {f"{run}.{ending}": stamps.get(f"{run}.{ending}") for run in asked for ending in ("json", "parquet")}
    key = digest({"code": _code(), "suite": name, "files": files, "results": str(results.resolve())})
    path = folder / f"{_file(name)}.json"
    kept = _read(path)
    if kept and kept.get("key") == key:
        return dict(kept["part"])
    part = _made(results, _records(results, runs), _records(results, set(known) - set(runs)) if mixes else [])
    write_text(path, json.dumps({"key": key, "part": part}, ensure_ascii=False, separators=(",", ":")))
    return part


def _made(results: Path, found: Sequence[Record], beside: Sequence[Record]) -> Json:
    """`refused` is why the part may not be shown, or null."""
    rows = ranked(aggregate(found, results, beside))
    refused = None
    try:
        check_comparable(rows)
    except UserError as error:
        refused = str(error)
    return {**suite_part(rows, results), "refused": refused}


def _records(results: Path, runs: Iterable[str]) -> list[Record]:
    return [store.stored_record(store.folder(results) / f"{run}.json") for run in sorted(runs)]


def _forget(folder: Path, suites: Iterable[str]) -> None:
    """Removes the parts of suites that are no more."""
    names = {f"{_file(name)}.json" for name in suites} | {"index.json"}
    for path in folder.glob("*.json"):
        if path.name not in names:
            with faults_told(path):
                path.unlink(missing_ok=True)


def _file(suite: str) -> str:
    """A suite may be called anything."""
    return f"suite-{digest(suite)}"


def _read(path: Path) -> Any:
    """What was kept; None where nothing was, or it can't be read."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None


@cache
def _code() -> str:
    root = Path(reports.__file__).parents[1]
    files = sorted(path for room in READ_BY for path in (root / room).rglob("*") if path.suffix in (".py", ".yaml", ".j2"))
    return sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
