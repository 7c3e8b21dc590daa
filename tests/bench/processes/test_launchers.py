"""Processes that are started find this package, and those that a launcher has started are found."""

import os
import subprocess
import sys
import time

import psutil

from bench.processes import launchers
from bench.processes.launchers import LAUNCH, launched, launcher, package_path


def test_a_process_finds_this_package_from_any_folder(tmp_path, monkeypatch):
    monkeypatch.delenv("PYTHONPATH", raising=False)
    command, found = [sys.executable, "-c", "import bench.errors; print(bench.errors.__file__)"], {"PYTHONPATH": package_path()}
    said = subprocess.check_output(command, cwd=tmp_path, env=os.environ | found, text=True)
    assert said.strip() == str(launchers.ROOT / "bench" / "errors.py")
    monkeypatch.setenv("PYTHONPATH", "mine")
    assert package_path().split(os.pathsep)[1:] == ["mine"]


def test_a_launcher_is_given_a_file_that_is_there():
    assert launcher(LAUNCH / "gpus.yaml")[-1] == str(LAUNCH / "gpus.yaml") and (LAUNCH / "gpus.yaml").is_file()


def test_what_a_launcher_has_started_is_known_by_a_word():
    process = subprocess.Popen(["sh", "-c", "sleep 61 & sleep 62 & wait"])
    found = []
    while len(found) < 2:
        time.sleep(0.01)
        found = launched(process.pid, "sleep")
    assert [each.cmdline()[1] for each in launched(process.pid, "62")] == ["62"]
    for each in found:
        each.kill()
    assert process.wait(10) is not None and launched(process.pid, "sleep") == []


def test_one_that_has_ended_hides_no_other():
    """Killed, and not waited for by its launcher, it is a zombie without a command."""
    script = "import subprocess, sys; [subprocess.Popen(['sleep', n]) for n in ('63', '64')]; sys.stdin.read()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE) as process:
        while len(found := launched(process.pid, "sleep")) < 2:
            time.sleep(0.01)
        first, second = found
        first.kill()
        while first.status() != psutil.STATUS_ZOMBIE:
            time.sleep(0.01)
        assert launched(process.pid, "sleep") == [second]
        second.kill()
        process.stdin.close()
