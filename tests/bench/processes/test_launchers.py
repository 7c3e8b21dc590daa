"""Processes that are started find this package, and those that a launcher has started are found."""

import os
import subprocess
import sys
import time

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
