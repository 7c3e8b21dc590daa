"""A suite whose processes are killed at random moments, any of them in any phase, and which is asked for until it is done.

    python tests/killing.py --processes 2 --kills 20    # that do each run together
    python tests/killing.py --workers 2 --kills 20 --budget 4000    # that do a run each; their command is killed too
    python tests/killing.py --tune 2 --kills 20         # after two trials of each strategy, which are killed too

compares its records with those of an undisturbed suite on one process, or on workers: 12, none missing, scores, answers and
losses equal, bit for bit but on two processes; and of a search the trials, their scores, and what was chosen. Processes are
forked from one that has imported everything, so that an attempt costs no imports; workers import by themselves, as they always
do.
"""

import argparse
import json
import os
import random
import signal
import socket
import sys
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
import psutil
from caches import linked_cache

TINY = ["--suite", "sentiment", "--model", "tiny-bert", "--test-items", "12", "--probe-items", "4"]
RUNS = [*TINY, "--checkpoint-every", "1steps", "--probe-every", "50%"]


class Kill(NamedTuple):
    """A moment: so many seconds after the start, or after the first run of this attempt has begun; and whose end it is."""

    seconds: float
    begun: bool
    victim: int


class Ended(NamedTuple):
    """How a suite ended."""

    status: int
    """0 where no process failed."""
    seconds: float
    killed: bool


def suite(options: list[str], out: Path, processes: int, kill: Kill | None = None) -> Ended:
    """Run the suite on so many processes, of which one may be killed; one that has ended before its moment is not."""
    with socket.socket() as probe:
        probe.bind(("localhost", 0))
        port = probe.getsockname()[1]
    sys.stdout.flush()
    began, pids = time.monotonic(), [_forked(options, out, rank, processes, port) for rank in range(processes)]
    status, alive, log = 0, dict(enumerate(pids)), out.with_suffix(".0.log")
    told, moment, killed = log.stat().st_size if log.exists() else 0, None, False
    while alive:
        for rank, pid in list(alive.items()):
            found, code = os.waitpid(pid, os.WNOHANG)
            if found:
                del alive[rank]
                status = status or os.waitstatus_to_exitcode(code)
        if kill and moment is None and (not kill.begun or (log.exists() and log.stat().st_size > told)):
            moment = time.monotonic() + kill.seconds
        if kill and moment is not None and time.monotonic() > moment and kill.victim in alive:
            os.kill(alive[kill.victim], signal.SIGKILL)
            kill, killed = None, True
        if status:  # as a launcher does: one that has failed takes the others with it
            for pid in alive.values():
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.01)
    return Ended(status, time.monotonic() - began, killed)


def _forked(options: list[str], out: Path, rank: int, processes: int, port: int) -> int:
    if pid := os.fork():
        return pid
    if processes > 1:
        os.environ |= {
            "RANK": str(rank),
            "LOCAL_RANK": str(rank),
            "WORLD_SIZE": str(processes),
            "LOCAL_WORLD_SIZE": str(processes),
        }
        os.environ |= {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "ACCELERATE_USE_CPU": "true"}
    log = os.open(out.with_suffix(f".{rank}.log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    os.dup2(log, 1)
    os.dup2(log, 2)
    from bench.cli import main

    try:
        main(["run", *options, "--out", str(out)])
    except SystemExit as leaving:
        sys.stdout.flush()
        os._exit(int(leaving.code or 0))
    os._exit(1)


def disturbed(options: list[str], out: Path, processes: int, kills: int, seconds: float, seed: int) -> list[str]:
    """Kill a process of the suite so many times, somewhere in what an undisturbed one takes, and then end it; what was done."""
    moments, told = random.Random(seed), []
    for number in range(kills):
        # One in six while it plans and reads its data; the others within the run that then goes on and the next one.
        begun = number % 6 != 5
        kill = Kill(moments.uniform(0, seconds / 8), begun, moments.randrange(processes))
        ended = suite(options, out, processes, kill)
        done = len(list((out / "records").glob("*.json")))
        kept = sorted({path.name for path in (out / "checkpoints").rglob("*.*") if not path.name.startswith((".", "stamp"))})
        where = "of its first run" if begun else "of its start"
        told.append(
            f"kill {number + 1}: rank {kill.victim}, {kill.seconds:.1f} s {where}; {_trials_in(out)}{done} records; "
            f"kept: {len(kept)} files"
        )
        if not ended.killed:
            told[-1] += "; it had ended before"
        print(told[-1], flush=True)
    assert suite(options, out, processes).status == 0, out.with_suffix(".0.log").read_text()[-3000:]
    return told


def disturbed_workers(options: list[str], out: Path, kills: int, seconds: float, seed: int) -> int:
    """Kill the command or one of its workers so many times, at random moments, giving the command again where it is gone, and
    then let it come to its end. How many were killed: fewer where all was done before."""
    moments, killed, log = random.Random(seed), 0, out.with_suffix(".0.log")
    while True:
        pid, code = _forked(options, out, 0, 1, 0), None
        told = log.stat().st_size if log.exists() else 0
        moment: float | None = None
        while code is None:
            ended, status = os.waitpid(pid, os.WNOHANG)
            code = os.waitstatus_to_exitcode(status) if ended else None
            # One in six while workers start; the others once a run has begun.
            early = killed % 6 == 5
            if moment is None and killed < kills and (early or (log.exists() and log.stat().st_size > told)):
                moment = time.monotonic() + moments.uniform(0, seconds / 12)
            if code is None and moment is not None and time.monotonic() > moment:
                victims = [pid, *_workers(pid)]
                victim = killed % len(victims)  # in turn, the command first
                # None of a command that is gone goes on.
                gone = psutil.Process(pid).children(recursive=True) if victim == 0 else []
                with suppress(ProcessLookupError):
                    os.kill(victims[victim], signal.SIGKILL)
                killed, moment, told = killed + 1, None, log.stat().st_size if log.exists() else 0
                done = len(list((out / "records").glob("*.json")))
                struck = "the command" if victim == 0 else f"worker {victim}"
                print(f"kill {killed}: {struck}; {_trials_in(out)}{done} records", flush=True)
                _, alive = psutil.wait_procs(gone, timeout=20)
                assert not alive, f"{[each.cmdline() for each in alive]} outlive the command"
            time.sleep(0.02)
        if code == 0:
            return killed


def _trials_in(out: Path) -> str:
    trials = len(list((out / "trials").glob("*.json")))
    return f"{trials} trials, " if trials else ""


def _workers(pid: int) -> list[int]:
    return [each.pid for each in psutil.Process(pid).children(recursive=True) if "bench.placing.worker" in _command(each)]


def _command(process: psutil.Process) -> list[str]:
    with suppress(psutil.Error):
        return process.cmdline()
    return []


def differences(whole: Path, out: Path) -> dict[str, float]:
    """The largest difference of scores, losses and answers' numbers over all runs; inf where runs or answers are others."""
    found: dict[str, float] = {}

    def differ(what: str, one: object, other: object) -> None:
        a, b = (np.asarray(each, dtype=float) for each in (one, other))
        far = float(np.abs(a - b).max(initial=0.0)) if a.shape == b.shape else np.inf
        found[what] = max(found.get(what, 0.0), far)

    records, others = _read(whole / "records"), _read(out / "records")
    if records.keys() != others.keys():
        return {"runs": np.inf}
    trials, other_trials = _read(whole / "trials"), _read(out / "trials")
    if trials.keys() != other_trials.keys():
        return {"trials": np.inf}
    for name in trials:
        differ("trials", *(_tried(each[name]) for each in (trials, other_trials)))
    for name, record in records.items():
        own, other = record["outcome"], others[name]["outcome"]
        if trials:
            differ("choices", *(_chosen(each[name]) for each in (records, others)))
        differ("scores", [own["score"]["value"], *_forgotten(own)], [other["score"]["value"], *_forgotten(other)])
        differ("losses", own["losses"], other["losses"])
        differ("curve", [point["score"] for point in own["curve"]], [point["score"] for point in other["curve"]])
        items, its = (pd.read_parquet(folder / "records" / name.replace(".json", ".parquet")) for folder in (whole, out))
        for column in items:
            if not pd.api.types.is_numeric_dtype(items[column]):
                differ(f"answers: {column}", items[column].fillna("").eq(its[column].fillna("")), np.ones(len(items)))
            else:
                differ(f"answers: {column}", items[column].fillna(0.0), its[column].fillna(0.0))
    resumed = sum(len(record["provenance"]["resumed"]) for record in others.values())
    resumed += sum(len(trial["provenance"]["resumed"]) for trial in other_trials.values())
    told = f"{len(trials)} trials, " if trials else ""
    print(f"{told}{len(records)} records; trainings went on {resumed} times", flush=True)
    return found


def _read(folder: Path) -> dict[str, dict]:
    return {path.name: json.loads(path.read_text()) for path in folder.glob("*.json")}


def _tried(trial: dict) -> list[float]:
    """A trial's score, what it was tried with, and what it spent beside time and memory."""
    spent = [trial["cost"][kind] for kind in ("train_examples", "train_tokens", "useful_flops")]
    return [trial["score"]["value"], trial["sampled"]["learning_rate"], *spent]


def _chosen(record: dict) -> list[float]:
    """The place of the choice, the score of each trial, and what was trained with in the end."""
    tuning = record["setup"]["tuning"]
    scores = [each["score"] for each in tuning["tried"]]
    return [tuning["chosen"], *scores, record["setup"]["hyperparameters"]["learning_rate"]]


def _forgotten(outcome: dict) -> list[float]:
    return [each["delta"] for each in outcome["forgetting"].values()]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--tune", type=int, default=0)
    parser.add_argument("--kills", type=int, default=20)
    # Workers take seconds to start, in which the other one goes on: of runs of a second each all are done after a few kills.
    parser.add_argument("--budget", type=int, default=160, help="examples of each run")
    parser.add_argument("--strategies", default="full,frozen,lora-8bit")
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--against-one", action="store_true")
    parser.add_argument("--folder", type=Path)
    given = parser.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # as workers have, so that sums are rounded alike
    imported()
    folder = given.folder or Path(tempfile.mkdtemp(prefix="killing-"))
    options = [*RUNS, "--strategies", given.strategies, "--seeds", str(given.seeds), "--budget", str(given.budget)]
    if given.tune:
        options += ["--tune", str(given.tune)]
    if given.processes > 1:
        # Each process draws its own dropout, and bf16 rounds sums of other parts of a batch by 1e-4.
        options += ["--set", "dropout=0", "--precision", "fp32"]
    own_cache(folder / "cache-whole")
    alone = options
    if given.workers > 1:
        options = [*options, "--workers", str(given.workers)]
    cores = os.sched_getaffinity(0)
    # Workers have a core each, and round sums otherwise than one process with all cores, unless it is kept to one.
    if given.against_one:
        os.sched_setaffinity(0, {min(cores)})
    whole = suite(alone if given.against_one else options, folder / "whole", 1)
    os.sched_setaffinity(0, cores)  # which the disturbed suite would inherit, and find no core for a second worker
    assert whole.status == 0, (folder / "whole.0.log").read_text()[-3000:]
    print(f"undisturbed: {whole.seconds:.0f} s", flush=True)
    own_cache(folder / "cache-killed")
    out = folder / "killed"
    if given.workers > 1:
        killed = disturbed_workers(options, out, given.kills, whole.seconds, given.seed)
        assert "core 1: " in out.with_suffix(".0.log").read_text(), "no second worker did anything"
        print(f"{killed} of {given.kills} kills, and then undisturbed to its end")
    else:
        disturbed(options, out, given.processes, given.kills, whole.seconds, given.seed)
    for what, far in differences(folder / "whole", out).items():
        print(f"{what}: largest difference {far:g}")


def own_cache(folder: Path) -> None:
    """Base scores are asked anew, and that is broken off too; wheels and converted models are shared with the user's cache."""
    from bench import folders

    os.environ.pop("TUNEBENCH_CACHE", None)
    os.environ["TUNEBENCH_CACHE"] = str(linked_cache(folder, folders.cache()))


def imported() -> None:
    """Import all that a run needs, once for all attempts."""
    from bench import quiet

    quiet.libraries(False)
    import bench.cli
    import bench.suite_run  # noqa: F401


if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parents[1]))
    main()
