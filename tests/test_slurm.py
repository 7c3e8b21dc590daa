"""launch/slurm.sh with stand-ins for Slurm's commands: signals reach the step, a job whose time is over is queued again,
and one that ran out of memory goes on."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "launch" / "slurm.sh"
STANDINS = {
    # Hands USR1 on, and kills what it has started at a TERM, as Slurm's own does.
    "srun": (
        '"$@" & child=$!\n'
        'trap "kill -USR1 $child" USR1\n'
        'trap "kill -KILL $child" TERM\n'
        "wait $child; status=$?\n"
        "while kill -0 $child 2> /dev/null; do wait $child; status=$?; done\n"
        "exit $status"
    ),
    "scontrol": 'if [ "$1" = show ]; then printf "node7\\nnode8\\n"; else echo "$@" >> "$HERE/queued"; fi',
    # Stops as tunebench does: after its step, with 75.
    "tunebench": (
        'echo "${SRUN_CPUS_PER_TASK:-none}" > "$HERE/cores"\n'
        'trap "sleep 0.2; echo USR1 >> $HERE/heard; exit 75" USR1\n'
        'trap "sleep 0.2; echo TERM >> $HERE/heard; exit 75" TERM\n'
        'echo x >> "$HERE/times"\n'
        "sleep 0.3\n"  # until whoever started it listens to signals too
        'echo "$@ $MASTER_ADDR $MASTER_PORT" > "$HERE/began"\n'
        # So often there is too little memory.
        'if [ -n "${SHORT:-}" ] && [ "$(wc -l < "$HERE/times")" -le "$SHORT" ]; then exit 71; fi\n'
        'if [ -n "${ENDS:-}" ]; then exit "$ENDS"; fi\n'
        "while :; do sleep 0.05; done"
    ),
}


@pytest.fixture
def job(tmp_path):
    """Starts the script as Slurm would; gives the process."""
    for name, text in STANDINS.items():
        (tmp_path / name).write_text(f"#!/bin/bash\n{text}\n")
        (tmp_path / name).chmod(0o755)

    def start(**more):
        slurm = {"SLURM_JOB_NODELIST": "node[7-8]", "SLURM_JOB_ID": "123456", "SLURM_NNODES": "2", "HERE": str(tmp_path)}
        found = os.environ | slurm | more | {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
        process = subprocess.Popen(["bash", str(SCRIPT), "gpus", "--suite", "sentiment"], env=found)
        while not (tmp_path / "began").exists():
            assert process.poll() is None
            time.sleep(0.02)
        return process

    return start


def text(path):
    return path.read_text() if path.exists() else ""


def test_it_is_bash():
    assert subprocess.run(["bash", "-n", str(SCRIPT)]).returncode == 0


def test_slurm_is_told_what_going_on_hangs_on():
    """sbatch reads options above the first command alone: a signal to this shell before the time is over, leave to queue the
    job again, one task on a machine, and a log that what goes on is appended to."""
    lines = SCRIPT.read_text().splitlines()
    first = next(number for number, line in enumerate(lines) if line and not line.startswith("#"))
    options = {line.removeprefix("#SBATCH ") for line in lines[:first] if line.startswith("#SBATCH ")}
    assert {"--signal=B:USR1@180", "--requeue", "--ntasks-per-node=1", "--open-mode=append"} <= options
    assert sum(line.startswith("#SBATCH") for line in lines) == len(options)


@pytest.mark.parametrize("status", ["0", "1", "2", "75"])
def test_the_status_goes_through_and_nothing_is_queued_again(job, tmp_path, status):
    assert job(ENDS=status).wait(timeout=30) == int(status)
    assert text(tmp_path / "began") == "run --launch gpus --suite sentiment node7 23456\n"
    assert text(tmp_path / "queued") == "" and text(tmp_path / "times") == "x\n"


@pytest.mark.parametrize(("short", "status", "times"), [("2", "0", 3), ("1", "1", 2)])
def test_memory_that_ran_out_goes_on_at_once(job, tmp_path, short, status, times):
    """In the time that the job still has, until it is done or ends otherwise, as where nothing smaller is left."""
    assert job(SHORT=short, ENDS=status).wait(timeout=60) == int(status)
    assert text(tmp_path / "times") == "x\n" * times and text(tmp_path / "queued") == ""


def test_memory_that_runs_out_each_time_ends_the_job(job, tmp_path):
    assert job(SHORT="99").wait(timeout=120) == 71
    assert text(tmp_path / "times") == "x\n" * 17 and text(tmp_path / "queued") == ""


@pytest.mark.parametrize(("number", "queued"), [(signal.SIGUSR1, "requeue 123456\n"), (signal.SIGTERM, "")])
def test_what_is_stopped_after_memory_ran_out_does_not_go_on_here(job, tmp_path, number, queued):
    process = job(SHORT="1")
    while text(tmp_path / "times") != "x\nx\n":
        time.sleep(0.02)
    time.sleep(0.5)  # until it listens
    process.send_signal(number)
    assert process.wait(timeout=30) == 75 and text(tmp_path / "queued") == queued


@pytest.mark.parametrize(("given", "found"), [({"SLURM_CPUS_PER_TASK": "64"}, "64\n"), ({}, "none\n")])
def test_the_step_has_the_cores_of_the_job(job, tmp_path, given, found):
    job(ENDS="0", **given).wait(timeout=30)
    assert text(tmp_path / "cores") == found


def test_a_job_whose_time_is_over_is_kept_and_queued_again(job, tmp_path):
    process = job()
    process.send_signal(signal.SIGUSR1)
    assert process.wait(timeout=30) == 75
    assert (text(tmp_path / "heard"), text(tmp_path / "queued")) == ("USR1\n", "requeue 123456\n")


def test_one_that_is_cancelled_is_kept_and_not_queued_again(job, tmp_path):
    process = job()
    process.send_signal(signal.SIGTERM)
    assert process.wait(timeout=30) == 75
    assert (text(tmp_path / "heard"), text(tmp_path / "queued")) == ("USR1\n", "")
