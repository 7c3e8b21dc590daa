"""What reports make of the suites' rows, kept beside the results from one time to the next: a suite is read and counted again
only where one of its records, or this code, has changed.

A record is known by its file's name, size and time of change. `summary/` can be deleted at any time. What is kept begins with
a line of its checksum: where a bit of it was changed it is made again.
"""

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

import reports
from bench.errors import UserError
from bench.folders import write_text
from bench.groups import groups_by
from bench.hashing import digest
from bench.records import store
from bench.records.record import Record
from reports.rows.fairness import check_comparable
from reports.rows.row import Row
from reports.rows.rows import aggregate
from reports.rows.transfer import mixed

MADE_BY = (
    "reports",
    "bench/records",
    "bench/statistics",
    "bench/metrics",
    "bench/groups.py",
    "bench/durations.py",
    "bench/hashing.py",
)
"""Code that makes the summaries: when it changes, they are made again."""
RUNS_HELD = 4096
"""So many runs' rows stay in memory, those of the last suites: a run ends with a table and a page of the same rows."""
Stamps = Mapping[str, Sequence[int]]
"""Name of a file of records/ -> its size in bytes and its time of change in ns."""
Known = Mapping[str, tuple[Sequence[int], str, bool]]
"""Each run's stamp, suite, and whether it mixes tasks: such a run is held against runs of other suites."""


@dataclass(frozen=True)
class SuiteReport:
    """What a report makes of one suite's rows, as JSON."""

    name: str
    of: Callable[[list[Row]], Any]
    look: str = ""
    """What it depends on beside the rows, such as a terminal's width."""


def suite_summaries(
    results: Path, out: Path, made: SuiteReport, allow_unequal: bool, runs: Callable[[str, str], bool] = lambda run, suite: True
) -> list[Any]:
    """What is made of each suite, in the order of the suites' names; kept in `out`, where that can be written.

    Args:
        runs: by a run's id and suite, whether it is a row.

    Raises:
        UserError: a file is no record, or rows of one table answer different questions and `allow_unequal` does not admit them.
    """
    folder, stamps = out / "summary", _file_stamps(results)
    known = _run_index(results, folder, stamps)
    suites = groups_by(known, lambda run: known[run][1])
    # Names of suites that were tried once would stay in the folder for ever.
    _forget_gone_suites(folder, suites)
    wanted = {suite: chosen for suite in sorted(suites) if (chosen := [run for run in suites[suite] if runs(run, suite)])}
    parts = [_kept_summary(results, folder, made, chosen, known, stamps) for chosen in wanted.values()]
    # What may not be shown is kept as well: --allow-unequal then finds it made.
    refused = [part["refused"] for part in parts if part["refused"]]
    if refused and not allow_unequal:
        raise UserError(refused[0])
    return [part["made"] for part in parts]


def _file_stamps(results: Path) -> Stamps:
    stamps: dict[str, Sequence[int]] = {}
    for path in store.folder(results).glob("*.*"):
        if path.suffix in (".json", ".parquet"):
            with suppress(FileNotFoundError):  # a run that is done again takes its old answers away
                status = path.stat()
                stamps[path.name] = [status.st_size, status.st_mtime_ns]
    return stamps


def _run_index(results: Path, folder: Path, stamps: Stamps) -> Known:
    old_index = _kept_json(folder / "index.json") or {}
    found = {name.removesuffix(".json"): stamps[name] for name in sorted(stamps) if name.endswith(".json")}
    same = {run: old_index[run] for run, stamp in found.items() if run in old_index and old_index[run][0] == stamp}
    changed = [run for run in found if run not in same]
    read = dict(zip(changed, _stored_records(results, changed), strict=True))
    index = {
        run: tuple(same[run]) if run in same else (stamp, read[run].setup.suite, bool(mixed(read[run])))
        for run, stamp in found.items()
    }
    # JSON gives tuples back as lists.
    if index.keys() != old_index.keys() or any(list(each) != old_index[run] for run, each in index.items()):
        _keep_text(folder / ".gitignore", "*\n")  # an accepted baseline that is looked at stays as it was committed
        _keep_json(folder / "index.json", index)
    return index


def _kept_summary(results: Path, folder: Path, made: SuiteReport, runs: Sequence[str], known: Known, stamps: Stamps) -> Any:
    """`refused` is why what was made may not be shown, or null."""
    name, mixes = known[runs[0]][1], any(known[run][2] for run in runs)
    needed = known if mixes else runs
    # A file that is missing has a stamp too, so that answers which come later are noticed.
    files = {f"{run}.{ending}": stamps.get(f"{run}.{ending}") for run in needed for ending in ("json", "parquet")}
    # `report --records` keeps summaries of two folders in one.
    of = {
        "code": _code_hash(),
        "suite": name,
        "rows": runs,
        "files": files,
        "results": str(results.resolve()),
        "look": made.look,
    }
    key, path = digest(of), folder / f"{_summary_stem(name)}.{made.name}.json"
    kept = _kept_json(path)
    if kept and kept.get("key") == key:
        return kept
    rows = _rows_of_suite(results, runs, set(known) - set(runs) if mixes else (), digest(files))
    part = {"key": key, "made": made.of(rows), "refused": _refusal_of_rows(rows)}
    _keep_json(path, part)
    return part


_held_rows: dict[tuple[Path, tuple[str, ...], str], list[Row]] = {}


def _rows_of_suite(results: Path, runs: Sequence[str], beside: Collection[str], files: str) -> list[Row]:
    """`files` is the digest of the stamps of all these runs: where one of them changed there is another, and the rows are made
    anew."""
    key = results, tuple(runs), files
    if key not in _held_rows:
        _held_rows[key] = aggregate(_stored_records(results, runs), results, _stored_records(results, beside))
        while len(_held_rows) > 1 and sum(len(held) for _, held, _ in _held_rows) > RUNS_HELD:
            del _held_rows[next(iter(_held_rows))]
    return _held_rows[key]


def _refusal_of_rows(rows: Sequence[Row]) -> str | None:
    try:
        check_comparable(rows)
    except UserError as error:
        return str(error)
    return None


def _stored_records(results: Path, runs: Iterable[str]) -> list[Record]:
    return store.stored_records(store.folder(results) / f"{run}.json" for run in sorted(runs))


def _forget_gone_suites(folder: Path, suites: Collection[str]) -> None:
    """Removes what is kept of suites that are no more."""
    names = {_summary_stem(name) for name in suites}
    with suppress(OSError):
        for path in folder.glob("suite-*.json"):
            if path.name.partition(".")[0] not in names:
                path.unlink(missing_ok=True)


def _summary_stem(suite: str) -> str:
    """A suite may be called anything."""
    return f"suite-{digest(suite)}"


def _kept_json(path: Path) -> Any:
    """What was kept; None where nothing was, or it can't be read."""
    try:
        checksum, _, text = path.read_text(encoding="utf-8").partition("\n")
        return json.loads(text) if checksum == _checksum(text) else None
    except (OSError, ValueError):
        return None


def _keep_json(path: Path, content: Any) -> None:
    text = json.dumps(content, ensure_ascii=False, separators=(",", ":"))
    _keep_text(path, f"{_checksum(text)}\n{text}")


def _checksum(text: str) -> str:
    return sha256(text.encode()).hexdigest()


def _keep_text(path: Path, text: str) -> None:
    """Results in a folder that can't be written are shown all the same."""
    with suppress(UserError, OSError):
        write_text(path, text)


@cache
def _code_hash() -> str:
    root = Path(reports.__file__).parents[1]
    parts = [path for part in MADE_BY for path in (root / part, *(root / part).rglob("*"))]
    # Definitions and templates are read while a summary is made, as code is.
    files = sorted(path for path in parts if path.is_file() and path.suffix in (".py", ".yaml", ".j2"))
    return sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
