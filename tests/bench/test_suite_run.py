"""Which runs of a suite still wait, and what a person is told of the others."""

import errno
import os
from contextlib import contextmanager
from dataclasses import replace
from types import SimpleNamespace

import disks
import pytest
from torch.distributed import HashStore, init_process_group, is_initialized

from bench import folders, suite_run
from bench.devices.device import Device
from bench.errors import RunError, UserError
from bench.placing.crew import Crew
from bench.planning.options import PlanOptions
from bench.planning.plan import plan
from bench.records import store


@pytest.fixture
def runs():
    return plan(PlanOptions("sentiment-domains", model="tiny-bert", strategies=["zero-shot", "full"]), "fp32")


@pytest.mark.parametrize("done", [[], ["zero-shot"], ["zero-shot", "full"]])
def test_what_has_a_record_does_not_wait(done, runs, tmp_path, monkeypatch):
    records = [SimpleNamespace(run_id=run.id) for run in runs if run.strategy.name in done]
    monkeypatch.setattr(suite_run.store, "read_all", lambda out: records)
    monkeypatch.setattr(suite_run, "is_finished", lambda record, here, again: record is not None)
    waiting, finished = suite_run.unfinished(runs, tmp_path, {}, False)
    assert [run.strategy.name for run in waiting] == [name for name in ("zero-shot", "full") if name not in done]
    assert finished == records


def made_for(suite, run_id):
    return SimpleNamespace(run_id=run_id, setup=SimpleNamespace(suite=suite))


@pytest.mark.parametrize("suite", ["sentiment-domains", "sentiment"])
@pytest.mark.parametrize("done", [[], ["zero-shot"], ["zero-shot", "full"]])
def test_a_person_is_told_of_runs_that_are_done(done, suite, tmp_path, monkeypatch, capsys):
    """In a plan, where nothing is done."""
    options = PlanOptions("sentiment-domains", model="tiny-bert", strategies=["zero-shot", "full"])
    known = {run.id: run.strategy.name for run in plan(options, "fp32")}
    monkeypatch.setattr(suite_run.store, "read_all", lambda out: [made_for(suite, run) for run in known])
    monkeypatch.setattr(suite_run, "is_finished", lambda record, here, again: known[record.run_id] in done)
    monkeypatch.setattr(suite_run, "kept_from_elsewhere", lambda found, here: f"{len(found)} kept" if found else None)
    monkeypatch.setattr(suite_run, "print_plan", lambda runs, out, waiting, trials, sharing: print(f"{len(waiting)} wait"))
    assert suite_run.run_suite(options, "fp32", suite_run.SuiteOptions(tmp_path, dry_run=True)) == 0
    captured = capsys.readouterr()
    said = captured.out + captured.err
    assert f"{2 - len(done)} wait" in said and said.count("kept") == bool(done)
    assert ("nothing to run: all 2 runs of suite sentiment-domains" in said) is (len(done) == 2)
    # The same question, asked by another suite before, is not asked again, and stands in that suite's table.
    elsewhere = f"{len(done)} of these runs {'was' if len(done) == 1 else 'were'} done for suite 'sentiment', whose table shows"
    assert (elsewhere in " ".join(said.split())) is bool(done and suite == "sentiment")


@pytest.mark.parametrize(("statuses", "status"), [(["ok", "skipped"], 0), (["ok", "failed"], 1)])
def test_a_failed_run_is_told_by_the_exit_status(statuses, status, tmp_path, monkeypatch):
    records = [SimpleNamespace(status=each, run_id="") for each in statuses]
    monkeypatch.setattr(suite_run.execution, "execute", lambda *_: records)
    monkeypatch.setattr(suite_run.table, "print_results", lambda out, runs, allow_unequal: None)
    monkeypatch.setattr(suite_run.leaderboard, "write_page", lambda records, out, allow_unequal: out)
    options = PlanOptions("sentiment-domains", model="tiny-bert", strategies=["zero-shot"])
    assert suite_run.run_suite(options, "fp32", suite_run.SuiteOptions(tmp_path)) == status


def test_processes_have_parted_when_it_is_over(tmp_path, monkeypatch):
    monkeypatch.setattr(suite_run.execution, "execute", lambda *_: [])
    monkeypatch.setattr(suite_run, "_show_results", lambda *_: None)
    init_process_group("gloo", store=HashStore(), rank=0, world_size=1)
    options = PlanOptions("sentiment", model="tiny-bert", strategies=["zero-shot"])
    assert suite_run.run_suite(options, "fp32", suite_run.SuiteOptions(tmp_path)) == 0 and not is_initialized()


def test_all_processes_do_what_the_main_one_has_seen(tmp_path, monkeypatch):
    """Another command on this folder may have ended a run between two processes' looks."""
    theirs, executed = [], []

    def agreed(device, value):
        if not isinstance(value, suite_run.SuitePlan):
            return value
        theirs.append(replace(value, runs=value.runs[:1], waiting=value.waiting[:1]))
        return theirs[0]

    monkeypatch.setattr(Device, "agreed", agreed)
    monkeypatch.setattr(suite_run.execution, "execute", lambda runs, *_: executed.extend(runs) or [])
    monkeypatch.setattr(suite_run, "_show_results", lambda *_: None)
    options = PlanOptions("sentiment", model="tiny-bert", strategies=["zero-shot", "full"])
    suite_run.run_suite(options, "fp32", suite_run.SuiteOptions(tmp_path))
    assert executed == theirs[0].runs and len(executed) == 1


def test_a_dry_run_writes_nothing(tmp_path, capsys):
    options = PlanOptions("sentiment-domains", model="tiny-bert", strategies=["zero-shot"])
    assert suite_run.run_suite(options, "fp32", suite_run.SuiteOptions(tmp_path / "out", dry_run=True)) == 0
    assert not (tmp_path / "out").exists() and "zero-shot" in capsys.readouterr().out


def test_varied_runs_lie_apart_and_end_with_their_own_table(tmp_path, monkeypatch, capsys, decoder_folder):
    """Of a decoder without dropout that trains whole, the order is all that a seed moves."""
    options = PlanOptions("sentiment", str(decoder_folder), None, ["full"], 2, "16", 4, 12, vary=["init", "order", "dropout"])
    monkeypatch.setattr(suite_run.table, "print_results", lambda *_, **__: pytest.fail("no row of the leaderboard"))
    out = tmp_path / "out"
    assert suite_run.run_suite(options, "fp32", suite_run.SuiteOptions(out, debug=True)) == 0
    told = " ".join(capsys.readouterr().out.split())
    assert "init 0 (nothing to initialise)" in told and "dropout 0 (no dropout)" in told and "order 2" in told
    assert sorted(path.name for path in out.iterdir()) == ["status", "varied"] and len(store.read_all(out / "varied")) == 2
    assert suite_run.run_suite(options, "fp32", suite_run.SuiteOptions(out, dry_run=True)) == 0
    assert "2 runs of suite sentiment" in capsys.readouterr().out


@pytest.mark.parametrize("more", [{"tune": {"trials": 2}}, {"vary": ["init"], "seeds": 2}])
def test_processes_show_that_they_go_on_from_the_first_trial_to_the_last_run(tmp_path, monkeypatch, more):
    """A process that hangs in a search would else be named by nobody."""
    phases, going = [], []

    @contextmanager
    def beating(out, world, phase):
        going.append(phase)
        yield
        going.remove(phase)

    def done(runs, *_):
        phases.append(going[0]())
        return [] if isinstance(runs, tuple) else runs

    monkeypatch.setattr(suite_run, "beating", beating)
    monkeypatch.setattr(suite_run, "tuned", lambda runs, place, *_: (place.progress.phase("a trial"), done(runs))[1])
    monkeypatch.setattr(suite_run.execution, "execute", lambda runs, place, *_: (place.progress.phase("a run"), done(()))[1])
    monkeypatch.setattr(suite_run, "that_differ", lambda runs, out: runs)
    monkeypatch.setattr(suite_run, "_show_results", lambda *_: None)
    options = PlanOptions("sentiment", model="tiny-bert", strategies=["full"], **more)
    assert suite_run.run_suite(options, "fp32", suite_run.SuiteOptions(tmp_path)) == 0
    assert phases == (["a trial", "a run"] if "tune" in more else ["a run", "a run"]) and not going


def test_a_suite_that_breaks_off_still_shows_what_it_has(tmp_path, capsys):
    """Of two runs the second cannot be begun, and then cannot be recorded: the first is in the table and on the page."""
    options = PlanOptions("sentiment-domains", "tiny-bert", None, ["zero-shot", "few-shot"], None, "16", 4, 8)
    first, second = plan(options, "fp32")

    def shown():
        told = capsys.readouterr()
        assert [record.run_id for record in store.read_all(tmp_path)] == [first.id]
        assert "zero-shot" in told.out and "leaderboard: " in told.err
        page = (tmp_path / "leaderboard.html").read_text(encoding="utf-8")
        assert first.id in page and second.id not in page
        return told

    with disks.read_only(f".{second.id}.1"), pytest.raises(RunError, match="cannot write .*Read-only file system"):
        suite_run.run_suite(options, "fp32", suite_run.SuiteOptions(tmp_path))
    assert "few-shot" not in shown().out
    with disks.read_only(f".{second.id}.json"):
        assert suite_run.run_suite(options, "fp32", suite_run.SuiteOptions(tmp_path)) == 1
    told = shown()
    (line,) = [line for line in told.err.splitlines() if "cannot write " in line]
    assert "few-shot" in line


def test_what_does_not_fit_the_model_is_told_before_anything_runs(tmp_path):
    options = PlanOptions("sentiment-domains", "tiny-bert", None, ["zero-shot", "frozen"], settings=["frozen.frozen=9"])
    for dry_run in (True, False):
        with pytest.raises(UserError, match="frozen=9, but the model has 2 layers"):
            suite_run.run_suite(options, "fp32", suite_run.SuiteOptions(tmp_path / "out", dry_run=dry_run))
    assert not (tmp_path / "out").exists()


def test_a_read_only_folder_with_all_records_is_shown(tmp_path, monkeypatch, capsys, decoder_folder):
    options = PlanOptions("sentiment", str(decoder_folder), None, ["zero-shot"], 1, "16", 4, 12)
    assert suite_run.run_suite(options, "fp32", suite_run.SuiteOptions(tmp_path)) == 0
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    capsys.readouterr()

    def read_only(*_):
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(folders.tempfile, "mkstemp", read_only)
    (tmp_path / "summary" / "index.json").write_text("{}")  # the page has something to write
    assert suite_run.run_suite(options, "fp32", suite_run.SuiteOptions(tmp_path)) == 0
    told = capsys.readouterr()
    assert "zero-shot" in told.out and "no leaderboard page: cannot write" in told.err
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == set(before)
    with pytest.raises(UserError, match="cannot write .*Read-only file system"):
        suite_run.run_suite(replace(options, strategies=["few-shot"]), "fp32", suite_run.SuiteOptions(tmp_path))


def test_a_cache_that_cannot_be_written_is_told_before_anything_runs(tmp_path, monkeypatch, decoder_folder):
    options = PlanOptions("sentiment", str(decoder_folder), None, ["zero-shot"], 1, "16", 4, 12)
    (tmp_path / "file").touch()
    monkeypatch.setattr(suite_run.folders, "cache", lambda: tmp_path / "file" / "cache")
    monkeypatch.setattr(suite_run.execution, "execute", lambda *_: pytest.fail("it ran"))
    with pytest.raises(UserError, match="TUNEBENCH_CACHE"):
        suite_run.run_suite(options, "fp32", suite_run.SuiteOptions(tmp_path / "out"))


def test_a_cluster_is_not_asked_for_what_this_machine_s_environment_would_change(tmp_path):
    """Its workers have other versions and devices, so that everything would be done again each time."""
    options = PlanOptions("sentiment", model="tiny-bert", strategies=["zero-shot"])
    doing = suite_run.SuiteOptions(tmp_path, rerun_on_change=True, crew=Crew(engine="ray", address="10.0.0.1:6379"))
    with pytest.raises(UserError, match="workers of a cluster have their own; leave it out"):
        suite_run.run_suite(options, "fp32", doing)
