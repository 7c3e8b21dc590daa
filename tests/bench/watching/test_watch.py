"""`tunebench watch` shows what runs have written, once where the output is no terminal."""

import pytest

from bench.cli import main
from bench.errors import UserError
from bench.watching import watch
from bench.watching.status import Finished, RunStatus, write_status
from bench.watching.watch import watch_processes


def test_a_snapshot_is_printed_for_a_script(tmp_path, capsys):
    write_status(tmp_path, RunStatus(total=2, done=1, label="m / t / lora / seed 0", phase="probes"))
    write_status(
        tmp_path, RunStatus(host="node7", finished=[Finished(label="m / t / full", result="accuracy 0.900", seconds=9)])
    )
    with pytest.raises(SystemExit) as left:
        main(["watch", str(tmp_path)])
    said = capsys.readouterr().out
    assert (
        left.value.code == 0
        and "m / t / full  accuracy 0.900  9 s" in said
        and "m / t / lora / seed 0  probes  1 of 2 runs done" in said
    )


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


def test_a_folder_without_runs_is_told(tmp_path):
    with pytest.raises(UserError, match="no process has left word in .*status; name the folder"):
        watch_processes(tmp_path)
