"""What placing runs on workers costs and gives, measured on this machine.

    python baselines/placing.py overhead     # from the end of a run to the beginning of the next, on a warm worker
    python baselines/placing.py workers      # equal runs on one worker of one core, and on two: in turns, medians
    python baselines/placing.py suites       # one suite alone, and two at once in two commands: in turns, medians
    python baselines/placing.py forecast --suite sentiment --seeds 3 --tune 4 --model minilm --out out    # of the records there

Runs are of tiny-bert, or of --model. Bases are asked once before, since they are kept and shared. `forecast` runs nothing: it
says by how much forecasts of seconds would have been wrong for the runs of a folder.
"""

import argparse
import math
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench import quiet
from bench.processes import before_torch

before_torch.set_variables()
quiet.libraries(False)

from bench.devices.device import start
from bench.placing.costs import predictors_of, seconds_taken
from bench.placing.forecast import Forecast
from bench.placing.local import LocalWorker
from bench.placing.messages import Message, WorkerSetting
from bench.placing.pool import WorkerPool
from bench.placing.slot import Slot
from bench.placing.view import View
from bench.planning.options import PlanOptions
from bench.planning.plan import plan
from bench.planning.tuning import as_far_as_tuned
from bench.progress import Progress
from bench.records.store import find_record
from bench.running import execution
from bench.running.assignments import Workplace
from bench.running.execution import RunWork
from bench.runs.run import Run
from bench.runs.run_folder import DEFAULT_KEEP


def runs_of(asked: argparse.Namespace) -> list[Run]:
    """Equal but for their seeds."""
    small = {"strategies": ["full"], "budget": asked.budget, "seeds": asked.runs, "test_items": 100, "probe_items": 20}
    return plan(PlanOptions("sentiment", asked.model, **small), "fp32")


class Clock:
    """When each worker was given a run, and when it said that it was done."""

    def __init__(self) -> None:
        self.begun: dict[int, float] = {}
        self.told: dict[int, float] = {}
        self.between: list[float] = []
        self.took: list[float] = []

    def hears(self, message: Message) -> None:
        now, number = time.perf_counter(), message.worker
        if message.kind == "doing" and number not in self.begun:
            self.begun[number] = now
            if number in self.told:
                self.between.append(now - self.told.pop(number))
        elif message.kind == "done":
            self.took.append(now - self.begun.pop(number))
            self.told[number] = now


def timed(runs: list[Run], workers: int, out: Path) -> tuple[float, Clock]:
    """Seconds from the first run's beginning to the last one's end, imports left out; each worker has one core."""
    cores, clock = sorted(os.sched_getaffinity(0)), Clock()
    slots = [Slot(number, (cores[number % len(cores)],)) for number in range(workers)]
    place, setting = Workplace(out, start("fp32"), Progress(False, len(runs))), WorkerSetting(out, "fp32", False, DEFAULT_KEEP)

    def hire(slot: Slot, post: Callable[[Message], None]) -> LocalWorker:
        def heard(message: Message) -> None:
            clock.hears(message)
            post(message)

        return LocalWorker(slot, heard, setting)

    with WorkerPool(lambda works: [(slots, works)], hire, predictors_of, View(out)) as hands:
        # Warm: one run for each worker, which is not counted.
        execution.execute(runs[:workers], place, hands=hands)
        clock.took.clear()
        clock.between.clear()
        began = time.perf_counter()
        found = execution.execute(runs[workers:], place, hands=hands)
    assert all(record.status == "ok" for record in found), found[0].reason
    return time.perf_counter() - began, clock


def overhead(asked: argparse.Namespace) -> None:
    with tempfile.TemporaryDirectory() as folder:
        _, clock = timed(runs_of(asked), 1, Path(folder))
    between = sorted(clock.between)
    print(f"{len(between) + 1} runs of {statistics.median(clock.took):.1f} s on one worker; lease and record included,")
    print(f"between two of them: median {1e3 * statistics.median(between):.0f} ms, most {1e3 * between[-1]:.0f} ms")


def workers(asked: argparse.Namespace) -> None:
    found: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(asked.rounds):
        for count, seconds in found.items():
            with tempfile.TemporaryDirectory() as folder:
                runs = runs_of(asked)
                # As many that count on one worker as on two.
                seconds.append(timed(runs[: asked.runs - 2 + count], count, Path(folder))[0])
    one, two = (statistics.median(found[count]) for count in (1, 2))
    print(f"{asked.runs - 2} equal runs: one worker {one:.1f} s, two {two:.1f} s: {one / two:.2f} times as fast ({found})")


def processor_seconds() -> float:
    """Of all processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def suites(asked: argparse.Namespace) -> None:
    given = ["--strategies", "full", "--budget", asked.budget, "--test-items", "100", "--probe-items", "20"]
    entry = [sys.executable, "-c", "from bench.cli import main; main()"]
    command = [*entry, "run", "--suite", "sentiment", "--model", asked.model]
    environment = {**os.environ, "PYTHONPATH": sys.path[0]}
    begin = partial(subprocess.Popen, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    found: dict[int, list[float]] = {1: [], 2: []}
    cores: dict[int, list[float]] = {1: [], 2: []}
    with tempfile.TemporaryDirectory() as folder:
        begin([*command, *given, "--seeds", "2", "--out", folder]).wait()  # bases are asked here
    for _ in range(asked.rounds):
        for count, seconds in found.items():
            with tempfile.TemporaryDirectory() as folder:
                began, before = time.perf_counter(), processor_seconds()
                running = [begin([*command, *given, "--seeds", "2", "--out", f"{folder}/{n}"]) for n in range(count)]
                assert [process.wait() for process in running] == [0] * count
                seconds.append(time.perf_counter() - began)
                cores[count].append(processor_seconds() - before)
    for what, taken in (("in all", found), ("of processor time", cores)):
        one, two = (statistics.median(taken[count]) for count in (1, 2))
        print(f"one suite {one:.1f} s, two at once {two:.1f} s {what}: {two / one:.2f} times as long ({taken})", flush=True)


def forecast(asked: argparse.Namespace) -> None:
    """Each run from all that is known when those of its kind are left out, and when they are there but for itself."""
    options = PlanOptions(asked.suite, asked.model, seeds=asked.seeds, tune={"trials": asked.tune} if asked.tune else {})
    runs, _ = as_far_as_tuned(plan(options, "auto"), asked.out)
    records = [(predictors_of(RunWork(run)), find_record(asked.out, run.id)) for run in runs]
    took = [(alike, seconds) for alike, record in records if record and (seconds := seconds_taken(record)) and alike.flops]

    def off(known: Callable[[int], list[int]], of: list[int]) -> list[float]:
        """In logarithms."""
        found = []
        for number in of:
            forecast, (alike, seconds) = Forecast(), took[number]
            for other in known(number):
                forecast.learn(*took[other])
            found.append(math.log(forecast.seconds(alike) / seconds))
        return found

    everything = list(range(len(took)))
    kinds = [alike.kind for alike, _ in took]
    of_other_kinds = {n: [other for other in everything if kinds[other] != kinds[n]] for n in everything}
    of_its_kind = {n: [other for other in everything if kinds[other] == kinds[n] and other != n] for n in everything}
    seeded = [number for number in everything if of_its_kind[number]]
    print(f"{len(took)} runs of {len(set(kinds))} kinds; standard deviation of the forecasts' errors, in logarithms:")
    print(f"by FLOPs alone: {statistics.stdev(off(lambda _: [], everything)):.2f}")
    print(f"by other kinds: {statistics.stdev(off(of_other_kinds.__getitem__, everything)):.2f}")
    if seeded:
        print(f"by runs of the same kind: {statistics.stdev(off(of_its_kind.__getitem__, seeded)):.2f} ({len(seeded)} runs)")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=["overhead", "workers", "suites", "forecast"])
    parser.add_argument("--model", default="tiny-bert")
    parser.add_argument("--budget", default="256")
    parser.add_argument("--runs", type=int, default=10)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--suite", default="sentiment")
    parser.add_argument("--seeds", type=int)
    parser.add_argument("--tune", type=int)
    parser.add_argument("--out", type=Path, default=Path("out"))
    asked = parser.parse_args()
    {"overhead": overhead, "workers": workers, "suites": suites, "forecast": forecast}[asked.what](asked)
    print(f"load {os.getloadavg()[0]:.1f}, {len(os.sched_getaffinity(0))} cores")


if __name__ == "__main__":
    main()
