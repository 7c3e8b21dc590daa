"""`tunebench watch` shows what runs have written, once where the output is no terminal."""

import pytest

from bench.errors import UserError
from bench.watching import watch
from bench.watching.status import RunStatus, write_status
from bench.watching.view import QUIET
from bench.watching.watch import GIVEN_UP, watch_processes


def test_it_looks_until_all_have_ended(tmp_path, monkeypatch):
    write_status(tmp_path, RunStatus(label="x"))
    looks = []

    def slept(seconds):
        looks.append(seconds)
        if len(looks) == 3:
            write_status(tmp_path, RunStatus(born=0.0))  # another process of that number: ours is gone

    monkeypatch.setattr(watch.time, "sleep", slept)
    monkeypatch.setattr(watch.Console, "is_terminal", True)
    watch_processes(tmp_path)
    assert len(looks) == 3


@pytest.mark.parametrize(("done", "patience"), [(1, QUIET), (0, GIVEN_UP)])
def test_a_process_of_another_machine_is_waited_for_while_it_has_something_to_say(tmp_path, monkeypatch, done, patience):
    now, there = 0.0, RunStatus(machine="elsewhere", total=1, done=done)
    write_status(tmp_path, there)

    def slept(seconds):
        nonlocal now
        now += patience / 2
        if now == patience:
            write_status(tmp_path, there.model_copy(update={"step": 1}))
        assert now < 4 * patience, "it waits for ever"

    monkeypatch.setattr(watch.time, "sleep", slept)
    monkeypatch.setattr(watch.time, "monotonic", lambda: now)
    monkeypatch.setattr(watch.Console, "is_terminal", True)
    watch_processes(tmp_path)
    assert now == 2.5 * patience


def test_a_folder_without_runs_is_told(tmp_path):
    with pytest.raises(UserError, match="no process has left word in .*status; name the folder"):
        watch_processes(tmp_path)
