"""What is kept of the suites' rows, and when it is made anew."""

import json
import os
import re
import subprocess
from pathlib import Path

import pytest

import reports
from bench.errors import UserError
from bench.records import store
from reports.page import leaderboard
from reports.rows import summaries
from reports.rows.rows import aggregate


@pytest.fixture
def made():
    """The suites that were made, in order."""
    return []


@pytest.fixture
def parts(out, made):
    def labels(rows):
        made.append(rows[0].setup.suite)
        return [[row.label, *([row.transfers[0].rise.value] if row.transfers else [])] for row in rows]

    def found(allow_unequal=False, look="", runs=lambda run, suite: True):
        return json.loads(
            json.dumps(summaries.suite_summaries(out, out, summaries.SuiteReport("labels", labels, look), allow_unequal, runs))
        )

    return found


def two_suites(make, out):
    return make.kept(out, [make.record("full"), make.record("frozen"), make.record("full", suite="other", run_id="b")])


def test_only_a_suite_that_changed_is_made_anew(make, out, made, parts):
    first_record, *_ = two_suites(make, out)
    first = parts()
    assert made == ["other", "sentiment"] and parts() == first and len(made) == 2
    make.kept(out, [make.record("lora-8bit")])
    assert made == ["other", "sentiment"] and len(parts()[1]) == 3 and made[2:] == ["sentiment"]
    (store.folder(out) / f"{first_record.run_id}.json").unlink()
    assert len(parts()[1]) == 2 and made[3:] == ["sentiment"]
    assert parts() and len(made) == 4


@pytest.mark.parametrize("ending", ["json", "parquet"])
def test_a_file_that_was_touched_is_read_again(make, out, made, parts, ending):
    record, *_ = two_suites(make, out)
    parts()
    os.utime(store.folder(out) / f"{record.run_id}.{ending}", ns=(1, 1))
    parts()
    assert made[2:] == ["sentiment"]


def test_other_code_and_what_cannot_be_read_make_parts_anew(make, out, made, parts, monkeypatch):
    two_suites(make, out)
    first = parts()
    monkeypatch.setattr(summaries, "_code_hash", lambda: "other")
    assert parts() == first and len(made) == 4
    for path in (out / "summary").iterdir():
        path.write_text("{")
    assert parts() == first and len(made) == 6


def test_what_is_kept_is_held_to_its_checksum(make, out, made, parts):
    """Planted faults: a changed digit was printed, and a list in place of a summary was an `AttributeError`."""
    two_suites(make, out)
    first = parts()
    for path in (out / "summary").glob("suite-*.json"):
        path.write_text(path.read_text().replace('"full"', '"fulk"'))
    assert parts() == first and len(made) == 4
    for path in (out / "summary").glob("*.json"):
        path.write_text("[1, 2]")
    assert parts() == first and len(made) == 6


def test_each_look_and_each_choice_of_runs_has_its_own(make, out, made, parts):
    record, *_ = two_suites(make, out)
    assert parts(look="100 columns") == parts(look="100 columns") and made == ["other", "sentiment"]
    parts(look="80 columns")
    assert made[2:] == ["other", "sentiment"]
    assert parts(runs=lambda run, suite: run == record.run_id) == [[["full"]]] and made[4:] == ["sentiment"]
    assert parts(runs=lambda run, suite: suite == "other") == [[["full"]]] and made[5:] == ["other"]
    assert parts(runs=lambda run, suite: suite == "none") == []


def test_what_cannot_be_kept_is_made(make, out, made, parts, monkeypatch):
    two_suites(make, out)

    def read_only(*_):
        raise UserError("cannot write")

    monkeypatch.setattr(summaries, "write_text", read_only)
    assert parts() == parts() and len(made) == 4 and not (out / "summary").exists()


def test_nothing_is_read_again_of_what_stays(make, out, parts, monkeypatch):
    """Of a suite that changed each record is read once, and each run's answers once; of the others nothing."""
    two_suites(make, out)
    parts()
    make.kept(out, [make.record("lora-8bit")])
    store._read_by_states.cache_clear()  # another process
    read = {"read_record": [], "read_item_table": []}
    for name, seen in read.items():
        original = getattr(store, name)
        monkeypatch.setattr(store, name, lambda *of, seen=seen, original=original: seen.append(of[-1]) or original(*of))
    parts()
    assert [len(seen) for seen in read.values()] == [3, 3]
    store._read_by_states.cache_clear()
    parts()
    assert [len(seen) for seen in read.values()] == [3, 3]


def test_a_run_that_mixes_tasks_is_held_against_runs_of_other_suites(make, out, made, parts):
    make.kept(out, [make.mixture(), make.alone()])
    first = parts()
    assert len(first[1][0]) == 2 and made == ["entailment", "sentiment"]
    make.kept(out, [make.alone("full", accuracy=0.9)])  # of the other suite
    parts()
    assert made[2:] == ["entailment", "sentiment"]


def test_parts_of_suites_that_are_no_more_go(make, out, parts):
    two_suites(make, out)
    parts()
    assert len(list((out / "summary").glob("suite-*.json"))) == 2
    (store.folder(out) / "b.json").unlink()
    assert len(parts()) == 1 and len(list((out / "summary").glob("suite-*.json"))) == 1


def test_a_committed_folder_that_is_looked_at_stays_as_it_was(make, out, parts):
    two_suites(make, out)
    git = ["git", "-C", str(out), "-c", "user.name=a", "-c", "user.email=a@b"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "accepted"]):
        subprocess.run([*git, *arguments], check=True)
    assert parts() and (out / "summary" / "index.json").exists()
    assert subprocess.run([*git, "status", "--short"], capture_output=True, check=True).stdout == b""


def test_what_was_shown_by_leave_is_refused_without_it(make, out, parts):
    make.kept(out, [make.record("full", engine_version=1), make.record("frozen", engine_version=2)])
    assert parts(allow_unequal=True)
    with pytest.raises(UserError, match="answer different questions"):
        parts()


def test_page_from_kept_parts_is_the_page(make, out):
    two_suites(make, out)
    first = leaderboard.write_page(out, out).read_bytes()
    assert leaderboard.write_page(out, out).read_bytes() == first


def test_code_that_makes_summaries_is_all_of_the_engines_that_reports_import():
    """But what tells of errors and writes files, which no summary shows."""
    root = Path(reports.__file__).parents[1]
    named = re.compile(r"^\s*from (bench\.\w+)", re.MULTILINE)
    imported = {name for path in (root / "reports").rglob("*.py") for name in named.findall(path.read_text())}
    makers = {part.removesuffix(".py").replace("/", ".") for part in summaries.MADE_BY}
    assert imported - makers == {"bench.errors", "bench.folders"}


def test_a_table_and_a_page_are_made_of_the_same_rows(make, out, monkeypatch):
    """A run ends with both: each run's answers are opened once for them."""
    record, *_ = two_suites(make, out)
    opened = []
    monkeypatch.setattr(summaries, "aggregate", lambda records, *rest: opened.append(len(records)) or aggregate(records, *rest))

    def seen():
        for name in ("table", "page"):
            report = summaries.SuiteReport(name, lambda rows: [row.score.value for row in rows])
            summaries.suite_summaries(out, out, report, allow_unequal=True)
        return opened

    assert seen() == [1, 2]
    os.utime(store.folder(out) / f"{record.run_id}.parquet", ns=(1, 1))
    assert seen() == [1, 2, 2]


def test_rows_of_many_suites_are_made_once(make, out, monkeypatch):
    """Planted fault: four suites were held, so that of five each was counted again for the page."""
    make.kept(out, [make.record("full", suite=f"suite-{number}", run_id=f"{number}") for number in range(6)])
    made = []
    monkeypatch.setattr(summaries, "_held_rows", {})
    monkeypatch.setattr(
        summaries, "aggregate", lambda records, *rest: made.append(records[0].setup.suite) or aggregate(records, *rest)
    )

    def shown(name):
        report = summaries.SuiteReport(name, lambda rows: [row.score.value for row in rows])
        summaries.suite_summaries(out, out, report, allow_unequal=True)
        return len(made)

    assert shown("table") == 6 and shown("page") == 6
    monkeypatch.setattr(summaries, "RUNS_HELD", 2)
    assert shown("other") == 6 and shown("more") == 6  # they are there, and nothing is added that would take their place
    monkeypatch.setattr(summaries, "_held_rows", {})
    assert shown("again") == 12 and len(summaries._held_rows) == 2
