"""Each process's word on itself: written whole, read by others, forgotten when the process is gone."""

import subprocess
import sys

from bench.watching.status import FORGOTTEN, Finished, RunStatus, read_statuses, remove_ended, status_folder, write_status


def test_a_status_is_read_back_and_what_is_none_is_passed_over(tmp_path):
    done = [Finished(label="a", result="b", seconds=1)]
    status = RunStatus(total=3, number=1, label="m / t / full / seed 0", loss=0.5, finished=done)
    write_status(tmp_path, status)
    (status_folder(tmp_path) / "half.json").write_text('{"host": "x", ')
    (status_folder(tmp_path) / "._bytes.json").write_bytes(b"\xff\x00")  # as some file systems lay beside each file
    assert list(read_statuses(tmp_path)) == [status] and status.alive is True
    assert [path.name for path in status_folder(tmp_path).glob("[!.]*-*.json")] == [f"{status.host}-{status.pid}.json"]


def test_processes_that_are_no_more_are_told_from_those_that_go_on_and_from_other_machines(tmp_path):
    here, there = RunStatus(), RunStatus(machine="a container of the same name", pid=1)
    pid = int(subprocess.run([sys.executable, "-c", "import os; print(os.getpid())"], capture_output=True, text=True).stdout)
    gone, reused = RunStatus(pid=pid), here.model_copy(update={"born": here.born - 100})
    assert (here.alive, there.alive, gone.alive, reused.alive) == (True, None, False, False)
    silent = RunStatus(machine="elsewhere", pid=2, updated=here.updated - 2 * FORGOTTEN)
    for status in (here, there, gone, silent):
        write_status(tmp_path, status)
    remove_ended(tmp_path)
    assert sorted(status.pid for status in read_statuses(tmp_path)) == sorted([here.pid, 1])


def test_a_folder_that_cannot_be_written_stops_nothing(tmp_path):
    (tmp_path / "status").write_text("a file in the way")
    write_status(tmp_path, RunStatus())
    assert list(read_statuses(tmp_path)) == []
