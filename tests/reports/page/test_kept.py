"""What is kept of the page's parts, and when it is made anew."""

import json
import os

import pytest

from bench.errors import UserError
from bench.records import store
from reports.page import kept, leaderboard


@pytest.fixture
def made(monkeypatch):
    """The suites that were made, in order."""
    suites = []
    original = kept.suite_part
    monkeypatch.setattr(kept, "suite_part", lambda rows, out: suites.append(rows[0].setup.suite) or original(rows, out))
    return suites


def parts(out, allow_unequal=False):
    return json.loads(json.dumps(kept.kept_parts(out, out, allow_unequal)))


def two_suites(make, out):
    return make.kept(out, [make.record("full"), make.record("frozen"), make.record("full", suite="other", run_id="b")])


def test_only_a_suite_that_changed_is_made_anew(make, out, made):
    first_record, *_ = two_suites(make, out)
    first = parts(out)
    assert made == ["other", "sentiment"] and parts(out) == first and len(made) == 2
    make.kept(out, [make.record("lora-8bit")])
    assert made == ["other", "sentiment"] and len(parts(out)[1]["runs"]) == 3 and made[2:] == ["sentiment"]
    (store.folder(out) / f"{first_record.run_id}.json").unlink()
    assert len(parts(out)[1]["runs"]) == 2 and made[3:] == ["sentiment"]
    assert parts(out) and len(made) == 4


@pytest.mark.parametrize("ending", ["json", "parquet"])
def test_a_file_that_was_touched_is_read_again(make, out, made, ending):
    record, *_ = two_suites(make, out)
    parts(out)
    os.utime(store.folder(out) / f"{record.run_id}.{ending}", ns=(1, 1))
    parts(out)
    assert made[2:] == ["sentiment"]


def test_other_code_and_what_cannot_be_read_make_parts_anew(make, out, made, monkeypatch):
    two_suites(make, out)
    first = parts(out)
    monkeypatch.setattr(kept, "_code", lambda: "other")
    assert parts(out) == first and len(made) == 4
    for path in (out / "summary").iterdir():
        path.write_text("{")
    assert parts(out) == first and len(made) == 6


def test_a_run_that_mixes_tasks_is_held_against_runs_of_other_suites(make, out, made):
    make.kept(out, [make.mixture(), make.alone()])
    first = parts(out)
    assert "Transfer" in first[1]["text"] and made == ["entailment", "sentiment"]
    make.kept(out, [make.alone("full", accuracy=0.9)])  # of the other suite
    parts(out)
    assert made[2:] == ["entailment", "sentiment"]


def test_parts_of_suites_that_are_no_more_go(make, out):
    two_suites(make, out)
    parts(out)
    assert len(list((out / "summary").glob("suite-*.json"))) == 2
    (store.folder(out) / "b.json").unlink()
    assert len(parts(out)) == 1 and len(list((out / "summary").glob("suite-*.json"))) == 1


def test_what_was_shown_by_leave_is_refused_without_it(make, out):
    make.kept(out, [make.record("full", engine_version=1), make.record("frozen", engine_version=2)])
    assert parts(out, allow_unequal=True)
    with pytest.raises(UserError, match="answer different questions"):
        parts(out)


def test_page_from_kept_parts_is_the_page(make, out):
    two_suites(make, out)
    first = leaderboard.write_page(out, out).read_bytes()
    assert leaderboard.write_page(out, out).read_bytes() == first
