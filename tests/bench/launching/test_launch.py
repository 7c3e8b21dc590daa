"""`tunebench run --launch`: checked first; signals, statuses and the end of a process go through."""

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import psutil
import pytest
from malformed import malformed

from bench.cli import main
from bench.devices import hardware
from bench.errors import UserError
from bench.launching import launch
from bench.launching.launch_files import launch_config
from bench.placing.crew import Crew
from bench.planning.options import PlanOptions
from bench.planning.plan import plan
from bench.processes import heartbeat, ranks, stopping
from bench.processes.launchers import LAUNCH
from bench.records import store
from bench.records.record import Provenance, Record
from bench.running.recording import setup
from bench.suite_run import SuiteOptions

ROOT = Path(__file__).parents[3]
TINY = ["--suite", "sentiment", "--model", "tiny-bert", "--budget", "320", "--test-items", "20", "--probe-items", "4"]
RUN = [*TINY, "--strategies", "full", "--set", "dropout=0", "--checkpoint-every", "1steps"]
COMMAND = [sys.executable, "-c", "from bench.cli import main; main()", "run"]
ACCELERATE = [sys.executable, "-m", "accelerate.commands.accelerate_cli", "launch"]
ENTRY = str(ROOT / "bench" / "run.py")
TWO = pytest.mark.skipif(hardware.cores() < 2, reason="two processes need two cores")


def bare_launcher(name):
    """`accelerate launch` by itself, with a file of launch/."""
    return [*ACCELERATE, "--config_file", str(LAUNCH / f"{name}.yaml"), "--main_process_port", "0", ENTRY]


def started(*arguments, cwd, command=COMMAND):
    cwd.mkdir(exist_ok=True)
    found = {name: value for name, value in os.environ.items() if not name.startswith(("OMP_", "ACCELERATE_"))}
    found |= {"PYTHONPATH": str(ROOT), "OMP_WAIT_POLICY": "PASSIVE"}
    return subprocess.Popen(
        [*command, *arguments], cwd=cwd, env=found, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def ended(process):
    try:
        out, err = process.communicate(timeout=300)
    finally:
        process.kill()  # one that hangs goes with its test
    return process.returncode, out, err


def training(process, folder):
    """Waits until the run's first checkpoint lies there."""
    while not list(folder.glob("out/checkpoints/*/training.safetensors")):
        assert process.poll() is None, process.communicate()[1]
        time.sleep(0.02)


def record(folder):
    (path,) = (folder / "out" / "records").glob("*.json")
    return json.loads(path.read_text())


def workers(process):
    """The processes that do the work, whoever started them."""
    return [each for each in psutil.Process(process.pid).children(recursive=True) if "bench/run.py" in " ".join(each.cmdline())]


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole")
    status, _, err = ended(started(*RUN, cwd=folder))
    assert status == 0, err
    return record(folder)


@pytest.fixture
def nothing_starts(monkeypatch):
    """Whatever it is, but for pip: what is checked is read, and may have to be fetched first."""
    start = subprocess.Popen

    def refused(command, **more):
        if command[:4] != [sys.executable, "-m", "pip", "download"]:
            pytest.fail(f"something was started: {command}")
        return start(command, **more)

    monkeypatch.setattr(subprocess, "Popen", refused)


def test_thirty_malformed_inputs_are_told_before_anything_is_started(nothing_starts, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    cases = malformed(tmp_path)
    assert len(cases) == 30
    for name, options in cases.items():
        with pytest.raises(SystemExit) as caught:
            main(["run", "--launch", "cpu", *options])
        told = capsys.readouterr().err.strip()
        assert (caught.value.code, told.count("\n"), told[:7]) == (2, 0, "error: "), (name, told)
    assert not list(tmp_path.glob("out/records/*"))


def test_a_strategy_that_can_not_run_so_is_told_before_anything_is_started(nothing_starts, tmp_path, monkeypatch):
    monkeypatch.setattr(launch, "check_launch", lambda path, config: None)  # this machine need not have GPUs
    options = PlanOptions("sentiment", model="tiny-bert", strategies=["full", "lora-8bit"])
    with pytest.raises(UserError, match="strategy 'lora-8bit' holds its base in 8 bit, which FSDP2 cannot share out"):
        launch.launch("fsdp2", options, "fp32", SuiteOptions(tmp_path), ["run"])
    with pytest.raises(UserError, match="--workers starts processes of its own; leave the launcher out"):
        launch.launch("cpu", options, "fp32", SuiteOptions(tmp_path, crew=Crew("2")), ["run"])
    with pytest.raises(UserError, match="budget '900000000000examples' is of at least"):
        launch.launch("gpus", replace(options, budget="900000000000examples"), "fp32", SuiteOptions(tmp_path), ["run"])


def test_what_the_processes_would_do_is_what_is_checked(tmp_path, monkeypatch):
    """What failed is done again, and with --vary what counts lies in a folder of its own."""
    checked = []
    monkeypatch.setattr(launch, "check_runs", lambda runs, parallelism: checked.append([run.strategy.name for run in runs]))
    monkeypatch.setattr(launch, "check_data", lambda runs: None)
    options = PlanOptions("sentiment-domains", model="tiny-bert", strategies=["zero-shot", "full"])
    varied = replace(options, strategies=["full"], seeds=2, vary=["order"])
    known = [(tmp_path, run, "failed" if run.strategy.trains else "ok") for run in plan(options, "fp32")]
    known += [(store.varied_folder(tmp_path), run, "ok") for run in plan(varied, "fp32")]
    for out, run, status in known:
        origin = Provenance(versions={}, device={}, environment={"device": "cpu"})
        store.write_record(out, Record(run_id=run.id, status=status, setup=setup(run), provenance=origin))
    launch.check_input(options, "fp32", SuiteOptions(tmp_path), "ddp")
    launch.check_input(options, "fp32", SuiteOptions(tmp_path, rerun_on_change=True), "ddp")
    launch.check_input(varied, "fp32", SuiteOptions(tmp_path), "ddp")
    assert checked == [["full"], ["zero-shot", "full"], []]


def test_a_dry_run_reads_the_launch_file_and_asks_nothing_of_this_machine(tmp_path, monkeypatch):
    """It may plan for another machine, but not by a file that there is none of, or that works nowhere."""
    planned_for = []
    monkeypatch.setattr(launch, "run_suite", lambda options, precision, doing: planned_for.append(doing.planned_for) or 0)
    monkeypatch.setattr(launch, "check_launch", lambda *_: pytest.fail("this machine was asked"))
    broken = tmp_path / "mine.yaml"
    broken.write_text("num_processes: 0")

    def planned(name):
        return launch.launched_or_run(name, PlanOptions("sentiment"), "fp32", SuiteOptions(tmp_path, dry_run=True), ["run"])

    assert planned("gpus") == planned("fsdp2") == planned(None) == 0
    assert planned_for == ["ddp", "fsdp2", None]
    for name, sentence in (
        ("cpus", "unknown launch file 'cpus'"),
        (str(broken), "are numbers from 1 on, and stand as 0 and 1"),
    ):
        with pytest.raises(UserError, match=sentence):
            planned(name)


def test_the_processes_get_the_options_alone():
    for how in (["--launch", "cpu"], ["--launch=cpu"]):
        assert launch.without_launch(["run", "--suite", "x", *how, "--debug"]) == ["--suite", "x", "--debug"]


@pytest.mark.parametrize("number", stopping.SIGNALS)
def test_a_signal_reaches_the_others_where_one_has_just_ended(number, monkeypatch):
    handlers, heard = {}, []

    def ended(number):
        raise psutil.NoSuchProcess(1)

    ranks = [SimpleNamespace(send_signal=ended), *[SimpleNamespace(send_signal=heard.append)] * 2]
    monkeypatch.setattr(launch, "launched", lambda *_: ranks)
    monkeypatch.setattr(launch.signal, "signal", handlers.__setitem__)
    told = launch._forward(SimpleNamespace(pid=1, send_signal=lambda _: pytest.fail("the launcher would end them")))
    assert handlers.keys() == {signal.SIGTERM, signal.SIGUSR1}
    handlers[number](number, None)
    assert heard == [number] * 2 and told == ([number], [])


LAUNCHER = """
import os, signal, sys, time
told, killed, ends = sys.argv[1:4]
path = os.environ["TUNEBENCH_STATUS"]
if told:
    open(path, "w").write(told)
if killed:
    open(os.path.join(os.path.dirname(path), "killed"), "w").close()
if ends == "asked":  # before it has started any process, and so there is none to hear it
    time.sleep(0.3)  # until who has started it listens
    os.kill(os.getppid(), signal.SIGUSR1)
    signal.pause()
if int(ends) < 0:
    os.kill(os.getpid(), -int(ends))
sys.exit(int(ends))
"""


@pytest.mark.parametrize(
    ("told", "killed", "ends", "status"),
    [
        ("2", "", "1", 2),  # a launcher makes 1 of any fault
        ("75", "", "0", 75),
        ("71", "", "1", 71),
        ("1", "", "0", 1),
        ("0", "", "0", 0),
        ("75", "killed", "1", 1),  # nobody was asked to stop: the others were ended for one that was killed
        ("", "", "1", 1),
        ("", "", "-9", 128 + 9),
        ("", "", "asked", 75),
    ],
)
def test_the_status_is_that_of_the_processes(told, killed, ends, status, tmp_path, monkeypatch):
    monkeypatch.setattr(launch, "check_launch", lambda path, config: None)
    monkeypatch.setattr(launch, "check_input", lambda *_: None)
    monkeypatch.setattr(launch, "launcher", lambda path: [sys.executable, "-c", LAUNCHER, told, killed, ends])
    stopping.listen()
    assert launch.launch("cpu", PlanOptions("sentiment"), "fp32", SuiteOptions(tmp_path), ["--suite", "sentiment"]) == status


def test_slurm_says_which_machine_this_is(monkeypatch):
    assert launch._cluster({"num_processes": 2}) == ["--num_processes", "2", "--main_process_port", "0"]
    assert launch._cluster({"num_processes": 2, "main_process_port": 5}) == ["--num_processes", "2"]
    place = {"SLURM_NNODES": "3", "SLURM_NODEID": "1", "MASTER_ADDR": "node7", "MASTER_PORT": "29501"}
    for name, value in place.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("MASTER_ADDR")  # as of `salloc --nodes=3` without launch/slurm.sh
    with pytest.raises(UserError, match=r"gives this job 3 machines, and MASTER_ADDR does not say .* by launch/slurm.sh"):
        launch._cluster({"num_processes": 8})
    monkeypatch.setenv("MASTER_ADDR", "node7")
    words = launch._cluster({"num_processes": 8})
    assert dict(zip(words[::2], words[1::2], strict=True)) == {
        "--num_machines": "3",
        "--num_processes": "24",
        "--machine_rank": "1",
        "--main_process_ip": "node7",
        "--main_process_port": "29501",
    }
    # DeepSpeed's own launcher would log in on the others; Slurm has started one on each.
    assert launch._cluster({"num_processes": 8, "distributed_type": "DEEPSPEED"})[-2:] == [
        "--deepspeed_multinode_launcher",
        "standard",
    ]


@pytest.mark.parametrize("own", [{}, {"main_process_ip": "localhost"}, launch_config(LAUNCH / "machines.yaml")])
def test_machines_that_do_not_know_where_they_meet_are_refused(own):
    """Each would wait for the others at its own address, as by launch/machines.yaml, which knows no machine's name."""
    with pytest.raises(UserError, match=r"is of 2 machines and does not say where they meet; start `accelerate launch"):
        launch._cluster({"num_processes": 16, "num_machines": 2, **own})


def test_machines_that_know_where_they_meet_are_started():
    assert launch._cluster({"num_processes": 16, "num_machines": 2, "main_process_ip": "node7"}) == ["--num_processes", "16"]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGUSR1])
def test_one_process_stops_after_its_step_and_goes_on(whole, tmp_path, number):
    process = started(*RUN, cwd=tmp_path)
    training(process, tmp_path)
    process.send_signal(number)
    status, _, err = ended(process)
    assert status == 75 and f"stopped by {number.name} after step " in err.splitlines()[-1], err
    assert err.splitlines()[-1].endswith("of 20; the same command goes on from there")
    status, _, err = ended(started(*RUN, cwd=tmp_path))
    assert status == 0 and "goes on after step" in err, err
    again = record(tmp_path)
    assert again["outcome"] == whole["outcome"] and again["run_id"] == whole["run_id"]
    assert len(again["provenance"]["resumed"]) == 1 and whole["provenance"]["resumed"] == []
    assert not (tmp_path / "out" / "checkpoints").exists()


@pytest.mark.slow
@TWO
def test_two_processes_stop_together_and_go_on(whole, tmp_path):
    command = [*RUN, "--launch", "cpu"]
    process = started(*command, cwd=tmp_path)
    training(process, tmp_path)
    pids = workers(process)
    process.send_signal(signal.SIGUSR1)
    status, _, err = ended(process)
    told = [line for line in err.splitlines() if "stopped" in line]
    assert status == 75 and len(told) == 1 and "stopped by SIGUSR1 after step " in told[0], err
    assert "Traceback" not in err and not any(each.is_running() for each in pids)
    process = started(*command, cwd=tmp_path)
    while not (pids := workers(process)):
        time.sleep(0.05)
    status, _, err = ended(process)
    assert status == 0, err
    again = record(tmp_path)
    assert again["provenance"]["device"]["processes"] == 2 and len(again["provenance"]["resumed"]) == 1
    assert again["outcome"]["losses"] == pytest.approx(whole["outcome"]["losses"], rel=1e-5)
    assert again["outcome"]["score"]["value"] == whole["outcome"]["score"]["value"]


A_PROCESS_EACH = """
{distributed_type: MULTI_GPU, use_cpu: true, gpu_ids: "-1,-1", num_machines: 1, num_processes: 1, mixed_precision: "no"}
"""


@pytest.mark.slow
@TWO
def test_two_machines_of_a_slurm_job_meet_and_stop_together(whole, tmp_path, monkeypatch):
    """Two commands stand in for what launch/slurm.sh starts on each machine; a signal that one of them gets stops both."""
    (tmp_path / "mine.yaml").write_text(A_PROCESS_EACH)

    def job():
        with socket.socket() as free:
            free.bind(("localhost", 0))
            place = {"SLURM_NNODES": "2", "MASTER_ADDR": "localhost", "MASTER_PORT": str(free.getsockname()[1])}
        machines = []
        for number in range(2):
            for name, value in {**place, "SLURM_NODEID": str(number)}.items():
                monkeypatch.setenv(name, value)
            machines.append(started(*RUN, "--launch", "mine.yaml", cwd=tmp_path))
        return machines

    first, second = job()
    training(first, tmp_path)
    second.send_signal(signal.SIGUSR1)
    (status, _, err), (other, _, also) = ended(first), ended(second)
    told = [line for line in (err + also).splitlines() if "stopped" in line]
    assert (status, other) == (75, 75) and len(told) == 1 and "stopped by a signal to another process after step " in told[0], (
        told
    )
    (status, _, err), (other, _, also) = map(ended, job())
    assert (status, other) == (0, 0), err + also
    again = record(tmp_path)
    assert again["provenance"]["device"]["processes"] == 2 and len(again["provenance"]["resumed"]) == 1
    assert again["outcome"]["losses"] == pytest.approx(whole["outcome"]["losses"], rel=1e-5)


@pytest.mark.slow
@TWO
def test_a_process_that_is_killed_is_named_and_takes_the_others_with_it(tmp_path):
    process = started(*RUN, "--launch", "cpu", cwd=tmp_path)
    training(process, tmp_path)
    while not any("after step" in sign.read_text() for sign in tmp_path.glob("out/status/ranks/*/1.json")):
        time.sleep(0.02)
    found = workers(process)
    second = next(each for each in found if each.environ().get("RANK") == "1")
    second.kill()
    status, _, err = ended(process)
    assert status == 1 and "rank 1 was ended by SIGKILL; its last phase: training, after step " in err, err
    assert "Traceback" not in err and not any(each.is_running() for each in found)


@pytest.mark.slow
@TWO
def test_a_process_that_is_frozen_is_named_within_the_stated_time(tmp_path, monkeypatch):
    monkeypatch.setenv(heartbeat.OWN_SILENCE, "5")
    process = started(*RUN, "--launch", "cpu", cwd=tmp_path)
    training(process, tmp_path)
    signs = tmp_path / "out" / "status" / "ranks"
    # The other one has to have heard of it to miss it.
    while len(list(signs.rglob("[01].json"))) < 2:
        time.sleep(0.02)
    time.sleep(2)
    second = next(each for each in workers(process) if each.environ().get("RANK") == "1")
    second.suspend()
    frozen = time.monotonic()
    err = ""
    while "no sign of life" not in err:  # the launcher takes longer to end a frozen process
        line = process.stderr.readline()
        assert line, err
        err += line
    took = time.monotonic() - frozen
    second.resume()  # it hears only now that it was asked to end
    status, _, rest = ended(process)
    told = err.splitlines()[-1]
    assert status == 1 and told.startswith("error: rank 1 has given no sign of life for ") and took < 5 + 10, (took, err)
    # Where it stood may be any line that a training passes, such as one of the model's forward pass.
    phase = r"; its last phase: training, after step \d+ of 20, in bench/\w+/[\w/]+\.py:\d+; the same command"
    assert re.search(phase, told), told
    assert "error: " not in rest and not second.is_running(), rest


@pytest.mark.slow
@TWO
@pytest.mark.parametrize(("name", "number", "count"), [("one", signal.SIGTERM, 1), ("cpu", signal.SIGUSR1, 2)])
def test_processes_whose_launcher_is_gone_end_themselves(name, number, count, tmp_path):
    """A bare one ends by SIGUSR1, as by SIGKILL, and that of one process by SIGTERM; it hands on neither."""
    process = started(*RUN, cwd=tmp_path, command=bare_launcher(name))
    training(process, tmp_path)
    found = workers(process)
    assert len(found) == count
    process.send_signal(number)
    process.wait()
    _, alive = psutil.wait_procs(found, timeout=60)
    for each in alive:
        each.kill()
    assert not alive


@pytest.mark.slow
@TWO
def test_the_same_under_the_bare_launcher_end_and_say_it_once(tmp_path):
    """Each is one sentence, however late the two processes find it; none hangs, and none leaves a process behind.

    All thirty take minutes: every third is tried, or with ALL_THIRTY=1 each.
    """
    cases = dict(list(malformed(tmp_path).items())[:: 1 if os.environ.get("ALL_THIRTY") else 3])

    def bare(name):
        # Each in a folder of its own, by which its processes are found however many launches go on at once.
        folder = tmp_path / "".join(filter(str.isalnum, name))
        process = started(*cases[name], cwd=folder, command=bare_launcher("cpu"))
        status, out, err = ended(process)
        return name, status, out + err, [each for each in psutil.process_iter() if at(each) == folder]

    def at(process):
        with suppress(psutil.Error):
            return Path(process.cwd())

    with ThreadPoolExecutor(3) as pool:
        told = list(pool.map(bare, cases))
    assert len(told) >= 10
    for name, status, said, left in told:
        sentences = [line for line in said.splitlines() if "error: " in line]
        assert status != 0 and len(sentences) == 1 and sentences[0].startswith("error: ") and not left, (name, said, left)
        assert said.count(sentences[0].removeprefix("error: ")) == 1, (name, said)
        assert said.strip().strip("=").strip().endswith(f"traceback : {ranks.SAID}"), (name, said)
