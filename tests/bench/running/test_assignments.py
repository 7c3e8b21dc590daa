"""Pieces of work that take no time, shared by two that do them."""

import threading
from dataclasses import dataclass, field
from pathlib import Path

import disks
import pandas as pd
import pytest

from bench.errors import UnwritableError, UserError
from bench.leases import owner
from bench.leases.lease import Leases
from bench.progress import Progress
from bench.records import store
from bench.records.trial import TrialRecord
from bench.running import assignments as module
from bench.running.assignments import Recorded, Workplace, in_turn
from bench.running.execution import unscored


@dataclass(frozen=True)
class Imagined:
    """A run of which the record says who did it."""

    run: object
    id: str
    who: str
    done: list[str] = field(default_factory=list)
    label: str = "imagined"

    def do(self, place: Workplace) -> Recorded:
        self.done.append(self.id)
        recorded = unscored(self.run, place.device, "skipped", self.who)
        return Recorded(recorded.record.model_copy(update={"run_id": self.id}), recorded.items)

    def failed(self, place: Workplace, reason: str) -> Recorded:
        return unscored(self.run, place.device, "failed", reason)


@pytest.fixture
def run(planned):
    return planned("zero-shot")


def works(run, names, who):
    done: list[str] = []
    return [Imagined(run, name, who, done) for name in names], done


def has_record(out):
    return lambda work: store.find_record(out, work.id) is not None


def test_in_turn_and_once(run, tmp_path, device):
    first, done = works(run, "abc", "me")
    place = Workplace(tmp_path, device, Progress(False, 3))
    assert list(in_turn(first, place, has_record(tmp_path))) == done == ["a", "b", "c"]
    second, again = works(run, "abcd", "me")
    assert list(in_turn(second, place, has_record(tmp_path))) == again == ["d"]
    assert [record.run_id for record in store.read_all(tmp_path)] == ["a", "b", "c", "d"]


def test_where_all_is_finished_nothing_is_written(run, tmp_path, device):
    all_done, _ = works(run, "ab", "me")
    assert in_turn(all_done, Workplace(tmp_path, device, Progress(False, 2)), lambda _: True) == {}
    assert not any(tmp_path.iterdir())


def test_what_another_does_is_waited_for_and_not_done_again(run, tmp_path, device, monkeypatch, capsys):
    waiting = threading.Event()
    monkeypatch.setattr(module.time, "sleep", lambda _: waiting.set())
    other = Leases(tmp_path)
    with other.beating():
        lease = other.claim("b")
        mine, done = works(run, "abc", "me")
        theirs = Imagined(run, "b", "other")

        def end_later() -> None:
            place = Workplace(tmp_path, device, Progress(False, 1))
            waiting.wait(10)
            theirs.do(place).settle(lease, tmp_path)

        thread = threading.Thread(target=end_later)
        thread.start()
        found = in_turn(mine, Workplace(tmp_path, device, Progress(True, 3)), has_record(tmp_path))
        thread.join()
    assert list(found) == done == ["a", "c"]
    assert store.find_record(tmp_path, "b").reason == "other"
    assert "waiting for 1 that another tunebench on this output folder is doing" in capsys.readouterr().err


def test_a_lease_that_was_lost_gives_the_others_record(run, tmp_path, device, capsys):
    """It is frozen while it works, and another takes the run over and records it."""
    place = Workplace(tmp_path, device, Progress(True, 1))

    @dataclass(frozen=True)
    class Frozen(Imagined):
        def do(self, place: Workplace) -> Recorded:
            mine = super().do(place)
            other = Leases(tmp_path)
            other.ended(self.id, 1, "revoked")
            Imagined(self.run, self.id, "other").do(place).settle(other.claim(self.id), tmp_path)
            return mine

    frozen = Frozen(run, "a", "me")
    assert in_turn([frozen], place, has_record(tmp_path)) == {} and frozen.done == ["a"]
    assert store.find_record(tmp_path, "a").reason == "other"
    assert "done in vain" in capsys.readouterr().err


def test_wrong_input_gives_the_run_back(run, tmp_path, device):
    @dataclass(frozen=True)
    class Wrong(Imagined):
        def do(self, place: Workplace) -> Recorded:
            raise UserError("no such file")

    with pytest.raises(UserError):
        in_turn([Wrong(run, "a", "me")], Workplace(tmp_path, device, Progress(False, 1)), has_record(tmp_path))
    assert Leases(tmp_path).claim("a").number == 2


@pytest.mark.parametrize("name", [".b.json", ".b.1.end"])
def test_a_run_whose_result_cannot_be_written_has_failed_and_the_others_go_on(run, tmp_path, device, capsys, monkeypatch, name):
    place = Workplace(tmp_path, device, Progress(True, 3))
    with disks.read_only(name):
        found = in_turn(works(run, "abc", "me")[0], place, has_record(tmp_path))
    assert {name: each.record.status for name, each in found.items()} == {"a": "skipped", "b": "failed", "c": "skipped"}
    said = capsys.readouterr().err
    assert said.count("cannot write ") == 1 and "Read-only file system; free some space there" in said
    assert [record.run_id for record in store.read_all(tmp_path)] == ["a", "c"]
    assert not list(tmp_path.rglob("*.part")) and not list(tmp_path.rglob("b*.staged"))
    monkeypatch.setattr(owner, "PATIENCE", -1.0)  # this process goes on, so that its lease would be waited for
    again, done = works(run, "abc", "me")
    assert list(in_turn(again, place, has_record(tmp_path))) == done == ["b"]


def test_a_search_ends_where_a_trials_result_cannot_be_written(run, tmp_path, device):
    """Without it, it would choose otherwise than the next time."""

    @dataclass(frozen=True)
    class ImaginedTrial(Imagined):
        def do(self, place: Workplace) -> Recorded:
            return Recorded(TrialRecord.model_construct(trial_id=self.id, status="ok"))

    with disks.read_only(".b.json"), pytest.raises(UnwritableError):
        in_turn(
            [ImaginedTrial(run, name, "me") for name in "abc"], Workplace(tmp_path, device, Progress(False, 3)), lambda _: False
        )
    assert [path.name for path in (tmp_path / "trials").iterdir()] == ["a.json"]


def test_a_folder_that_takes_no_lease_ends_all(run, tmp_path, device):
    with disks.read_only(".b.1"), pytest.raises(UnwritableError, match="cannot write .*leases/b.1: "):
        in_turn(works(run, "abc", "me")[0], Workplace(tmp_path, device, Progress(False, 3)), has_record(tmp_path))
    assert [record.run_id for record in store.read_all(tmp_path)] == ["a"]


def test_a_failed_attempt_takes_nothing_away(run, tmp_path, device):
    recorded = unscored(run, device, "failed", "memory")
    good = recorded.record.model_copy(update={"status": "ok"})
    store.write_record(tmp_path, good, pd.DataFrame({"kind": ["task"]}))
    leases = Leases(tmp_path)
    assert recorded.settle(leases.claim(run.id), tmp_path)
    assert store.find_record(tmp_path, run.id) == good and Path(tmp_path / "records" / f"{run.id}.parquet").exists()
    assert leases.tried(run.id, [1]), "it was tried, and is not for others to try again"
