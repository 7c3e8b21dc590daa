"""`tunebench run --launch NAME`: what is asked for is checked before anything is started, signals reach every process, and the
exit status is theirs.
"""

import os
import signal
import subprocess
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import FrameType
from typing import Any

import psutil

from bench.devices import hardware
from bench.devices.launched import Parallelism, configured
from bench.errors import UserError
from bench.launching.launch_files import check_launch, for_this_machine, launch_config, launch_file
from bench.planning.options import PlanOptions
from bench.preflight.data import check_data
from bench.preflight.runs import check_runs
from bench.processes import heartbeat, ranks, stopping
from bench.processes.launchers import LAUNCH, ROOT, launched, launcher, package_path
from bench.suite_run import SuiteOptions, check_folders, run_suite, suite_plan

ENTRY = ROOT / "bench" / "run.py"
NOT_STARTED = {"device": "of processes that are not started yet"}
"""An environment that no record has: with --rerun-on-change all that has a score may be done again, and is checked."""
NOWHERE = (None, "", "localhost", "127.0.0.1")
"""Where several machines can't meet: by these names each would wait for the others at itself."""


def launched_or_run(
    name: str | None, options: PlanOptions, precision: str, doing: SuiteOptions, arguments: Sequence[str]
) -> int:
    """Run a suite in this process, or, where a launch file is named, in those that it describes; gives the exit status.

    Args:
        arguments: the whole command line, of which the processes get all but how it is launched.

    Raises:
        UserError: something that was asked for is wrong; nothing has been started by then.
    """
    stopping.listen()
    if name and doing.dry_run:
        # Not held against this machine, since a dry run may plan for another one.
        doing = replace(doing, planned_for=configured(launch_config(launch_file(name))))
    if name is None or doing.dry_run:
        return run_suite(options, precision, doing)
    return launch(name, options, precision, doing, without_launch(arguments))


def launch(name: str, options: PlanOptions, precision: str, doing: SuiteOptions, arguments: Sequence[str]) -> int:
    """Start `arguments` of `tunebench run` under a launcher; gives their exit status.

    Raises:
        UserError: something that was asked for is wrong; nothing has been started by then.
    """
    path = launch_file(name)
    config = launch_config(path)
    if path.parent == LAUNCH:
        config = for_this_machine(config)
    check_launch(path, config)
    doing.crew.checked(int(config.get("num_processes", 1)))
    check_input(options, precision, doing, configured(config))
    with tempfile.TemporaryDirectory(prefix="tunebench-") as folder:
        status_file = Path(folder) / "status"
        command = [*launcher(path), *_cluster(config), str(ENTRY), *arguments]
        environment = os.environ | {ranks.STATUS_FILE: str(status_file), "PYTHONPATH": package_path()}
        environment[heartbeat.SIGNS_FILE] = str(Path(folder) / "signs")
        ranks.name_as_launcher(environment)
        process = subprocess.Popen(command, env=environment)
        heard, early = _forward(process)
        status = process.wait()
        status_text = status_file.read_text(encoding="utf-8") if status_file.exists() else ""
        if ranks.killed_file(status_file).exists() and not heard:  # the others were ended for it, and take that for a stop
            return 1
    if early and not status_text:  # nothing has begun, and so nothing is lost
        return stopping.STATUS
    return int(status_text) if status_text else status if status >= 0 else 128 - status


def check_input(options: PlanOptions, precision: str, doing: SuiteOptions, parallelism: Parallelism) -> None:
    """All that can be wrong of what is asked for, as far as it can be known without a model: also a strategy that can't be run
    under this launcher.

    Raises:
        UserError: something is.
    """
    planned = suite_plan(options, hardware.requested(precision), doing, NOT_STARTED)
    check_runs(planned.waiting, parallelism)
    check_folders(planned, parallelism)
    check_data(planned.waiting)


def without_launch(arguments: Sequence[str]) -> list[str]:
    """What the processes are given of the command line: all but the command and how it is launched."""
    rest, given = [], list(arguments)
    given.remove("run")
    while given:
        word = given.pop(0)
        if word == "--launch":
            given.pop(0)
        elif not word.startswith("--launch="):
            rest.append(word)
    return rest


def _cluster(config: dict[str, Any]) -> list[str]:
    """Which machine of several this is, as Slurm and launch/slurm.sh say; on one machine a free port.

    Raises:
        UserError: Slurm gives several machines, and launch/slurm.sh did not say where they meet.
    """
    machines = int(os.environ.get("SLURM_NNODES") or 1)
    if machines == 1:
        if config.get("num_machines", 1) > 1 and config.get("main_process_ip") in NOWHERE:
            raise UserError(
                f"the launch file is of {config['num_machines']} machines and does not say where they meet; start `accelerate "
                "launch --config_file FILE --machine_rank N --main_process_ip HOST bench/run.py ...` on each, or use "
                "launch/slurm.sh"
            )
        count = ["--num_processes", str(config.get("num_processes", 1))]
        placed = config.get("main_process_port") or config.get("num_machines", 1) > 1
        return count if placed else [*count, "--main_process_port", "0"]
    if missing := {"SLURM_NODEID", "MASTER_ADDR", "MASTER_PORT"} - os.environ.keys():
        raise UserError(
            f"Slurm gives this job {machines} machines, and {min(missing)} does not say how they meet; start it by "
            "launch/slurm.sh, or set SLURM_NNODES=1 to use this one alone"
        )
    each = int(config.get("num_processes", 1)) // int(config.get("num_machines", 1))
    options = {
        "num_machines": str(machines),
        "num_processes": str(machines * each),
        "machine_rank": os.environ["SLURM_NODEID"],
        "main_process_ip": os.environ["MASTER_ADDR"],
        "main_process_port": os.environ["MASTER_PORT"],
    }
    if config.get("distributed_type") == "DEEPSPEED":
        # Slurm has started this command on each machine. DeepSpeed's own way would log in on the others, and without a list of
        # them makes a world of each machine.
        options["deepspeed_multinode_launcher"] = "standard"
    return [word for name, value in options.items() for word in (f"--{name}", value)]


def _forward(process: "subprocess.Popen[bytes]") -> tuple[list[int], list[int]]:
    """Let every process hear the signals that ask to stop. Not the launcher, which would end them when they are late. Gives the
    signals as they come, and those of them that came before there was a process to hear them."""
    heard: list[int] = []
    early: list[int] = []

    def forward(number: int, frame: FrameType | None) -> None:
        heard.append(number)
        workers = launched(process.pid, str(ENTRY))
        for worker in workers:
            with suppress(psutil.NoSuchProcess):  # it has ended meanwhile
                worker.send_signal(number)
        if not workers:
            early.append(number)
            process.send_signal(signal.SIGTERM)

    for number in stopping.SIGNALS:
        signal.signal(number, forward)
    return heard, early
