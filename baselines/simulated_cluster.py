"""A simulated cluster: real queue, forecast and leases on a real folder, with simulated machines, clocks and runs.

    python baselines/simulated_cluster.py

Each machine has a scheduler of its own, and nothing but the folder connects them. Their clocks show different times and go at
different speeds. A worker that is lost is replaced after a while, and its run goes on from the last checkpoint; a machine that
vanishes takes its scheduler with it; one that is frozen goes on later as if nothing had been.

Runs are seeds of kinds, as a suite's are. Of a kind's seconds nothing is known but its FLOPs, until one of its runs is done.
"""

import heapq
import random
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from itertools import accumulate, count
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from bench.leases.lease import Lease, Leases
from bench.leases.owner import Owner
from bench.leases.queue import Queue
from bench.placing.forecast import Forecast, Predictors

BEAT = 20.0
"""Seconds between two counts: fewer than in truth, and enough for who waits for a minute."""
START = 15.0
"""Seconds until a new worker is ready, imports and all."""
POLL = 30.0
"""Seconds between two looks at what other machines hold."""
KEPT = 60.0
"""Seconds between two checkpoints of a run, as `tunebench run` has by itself where one takes less than .6 seconds."""
SEEDS = 5
"""Runs of each kind."""
FLOPS_DIFFER = 0.4
"""Standard deviation, in logarithms, of the FLOPs that kinds do in a second: `python baselines/placing.py forecast`."""
SEEDS_DIFFER = 0.09
"""The same of the seconds that the runs of a kind take."""


@dataclass(frozen=True)
class Events:
    """What happens to machines, besides that they work."""

    lost: float = 0.01
    """Share of the attempts during which the worker is lost."""
    vanishing: tuple[int, ...] = ()
    """Machines that are gone from `at` on."""
    frozen: tuple[int, ...] = ()
    """Machines that stand still from `at` on for `rest` seconds."""
    at: float = 0.0
    rest: float = 0.0


@dataclass
class Told:
    """What a simulation has come to."""

    devices: int
    seconds: dict[str, float]
    """What each run takes."""
    began: Counter[str] = field(default_factory=Counter)
    """Attempts of each run, those in vain included."""
    recorded: dict[str, float] = field(default_factory=dict)
    """By run, when its record was put in place."""
    in_vain: list[str] = field(default_factory=list)
    """Runs that a machine had done when another's record was there."""
    spans: list[tuple[float, float]] = field(default_factory=list)
    """In which a device was at work."""
    lost: int = 0

    def busy(self, until: float) -> float:
        """Share of the device time until then in which a device was at work."""
        return sum(max(0.0, min(end, until) - start) for start, end in self.spans) / (until * self.devices)

    def last_tenths(self) -> tuple[float, float, float]:
        """When the last tenth begins: of the work (seconds of runs to be recorded), of the runs, of the time."""
        ended = sorted((at, self.seconds[name]) for name, at in self.recorded.items())
        done = list(accumulate(length for _, length in ended))
        of_work = next(at for (at, _), total in zip(ended, done, strict=True) if total >= 0.9 * done[-1])
        return of_work, ended[len(ended) * 9 // 10 - 1][0], 0.9 * self.took

    @property
    def took(self) -> float:
        return max(self.recorded.values())


class Machine:
    """A scheduler with devices: what `tunebench run --workers` is on one machine."""

    def __init__(self, cluster: "Cluster", number: int, devices: int) -> None:
        self._cluster, self.number, self.free = cluster, number, devices
        skew, speed = 1e6 * number, 1 + 1e-3 * (number % 3)
        owner = Owner(f"owner{number}", f"host{number}", f"machine{number}", 1, 0.0)
        self.leases = Leases(cluster.out, owner, lambda: skew + speed * cluster.now)
        self.forecast, self._polling = Forecast(), False
        for predictors, seconds in cluster.pilot.items():
            self.forecast.learn(predictors, seconds)
        self.queue = Queue(list(cluster.left), self.leases)
        self._arrange()

    def _arrange(self) -> None:
        seconds = {name: self.forecast.seconds(predictors) for name, predictors in self._cluster.predictors.items()}
        self.queue.arrange(seconds.__getitem__)

    def beat(self) -> None:
        self.leases.folder.mkdir(parents=True, exist_ok=True)
        self.leases.heart.beat()
        self._cluster.after(BEAT, self, self.beat)

    def work(self) -> None:
        """Give work to each free device; look again later where others hold what is left."""
        while self.free and (lease := self.queue.take()):
            self.free -= 1
            self._begin(lease)
        if self.free and self.queue.waiting and not self._polling:
            self._polling = True
            self._cluster.after(POLL, self, self._poll)

    def _poll(self) -> None:
        self._polling = False
        self.work()

    def _begin(self, lease: Lease) -> None:
        cluster, start = self._cluster, self._cluster.now
        seconds = cluster.left[lease.what]
        cluster.told.began[lease.what] += 1
        if cluster.random.random() < cluster.events.lost:
            seconds *= cluster.random.random()
            cluster.after(seconds, self, lambda: self._lost(lease, start))
        else:
            cluster.after(seconds, self, lambda: self._done(lease, start))

    def _done(self, lease: Lease, start: float) -> None:
        told, name = self._cluster.told, lease.what
        told.spans.append((start, self._cluster.now))
        if lease.put(lambda folder: _write(folder / "records" / f"{name}.json", str(self.number))):
            assert name not in told.recorded, "a run was recorded twice"
            told.recorded[name] = self._cluster.now
            if self.forecast.learn(self._cluster.predictors[name], told.seconds[name]):
                self._arrange()
        else:
            told.in_vain.append(name)
        self.free += 1
        self.work()

    def _lost(self, lease: Lease, start: float) -> None:
        told, name = self._cluster.told, lease.what
        told.spans.append((start, self._cluster.now))
        told.lost += 1
        self._cluster.left[name] -= (self._cluster.now - start) // KEPT * KEPT
        assert self.queue.lost(lease), "no run of these is unlucky three times"
        self._cluster.after(START, self, self._replaced)
        self.work()

    def _replaced(self) -> None:
        self.free += 1
        self.work()


class Cluster:
    """Machines, a folder that all see, and the time."""

    def __init__(
        self, out: Path, runs: "Mixture", machines: int, devices: int, events: Events, piloted: bool = False, seed: int = 0
    ) -> None:
        """
        Args:
            devices: of each machine.
            piloted: whether a run of each kind was done before, on top of these.
        """
        self.out, self.left, self.events, self.predictors = out, dict(runs.seconds), events, runs.predictors
        self.now, self.random, self.told = 0.0, random.Random(seed), Told(machines * devices, dict(runs.seconds))
        self.pilot = runs.pilot if piloted else {}
        self._agenda: list[tuple[float, int, Machine, Callable[[], None]]] = []
        self._number = count()
        self.machines = [Machine(self, number, devices) for number in range(machines)]

    def after(self, seconds: float, machine: Machine, what: Callable[[], None]) -> None:
        heapq.heappush(self._agenda, (self.now + seconds, next(self._number), machine, what))

    def run(self) -> Told:
        """Until every run has a record, and every machine that is still there has come to the end of its queue."""
        for machine in self.machines:
            machine.beat()
            machine.work()
        working = {machine.number for machine in self.machines}
        while working:
            self.now, _, machine, what = heapq.heappop(self._agenda)
            events, number = self.events, machine.number
            if number in events.vanishing and self.now >= events.at:
                working.discard(number)
            elif number in events.frozen and events.at <= self.now < events.at + events.rest:
                self.after(events.at + events.rest - self.now, machine, what)
            else:
                what()
                if not machine.queue.waiting and machine.free == self.told.devices // len(self.machines):
                    working.discard(number)
        return self.told


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True)
    path.write_text(text)


@dataclass(frozen=True)
class Mixture:
    """Runs of many lengths, by their names."""

    seconds: dict[str, float]
    predictors: dict[str, Predictors]
    pilot: dict[Predictors, float]
    """Of each kind the seconds of one run more."""


def mixed(runs: int, seed: int = 0, seeds_differ: float = SEEDS_DIFFER) -> Mixture:
    """Five seeds of each kind; kinds take one to ten minutes, as many of them each time."""
    drawn, seconds = random.Random(seed), dict[str, float]()
    predictors, pilot = dict[str, Predictors](), dict[Predictors, float]()
    for kind in range(runs // SEEDS):
        length = drawn.uniform(60, 600)
        work = length * drawn.lognormvariate(0, FLOPS_DIFFER)
        of_kind = Predictors(f"{kind}", "", partial(float, work))
        pilot[of_kind] = length * drawn.lognormvariate(0, seeds_differ)
        for number in range(SEEDS):
            name = f"{kind:08x}{number:08x}"
            seconds[name], predictors[name] = length * drawn.lognormvariate(0, seeds_differ), of_kind
    return Mixture(seconds, predictors, pilot)


def main() -> None:
    print("                                  busy until the last tenth of")
    print("devices  machines    known  lost    the work  the runs  the time    took s  at least s")
    exactly = mixed(1000, seeds_differ=0.0)
    cases = [(2, 4, "FLOPs"), (8, 8, "FLOPs"), (64, 8, "FLOPs"), (64, 8, "a seed"), (64, 8, "all")]
    for machines, devices, known in cases:
        runs = exactly if known == "all" else mixed(1000)
        with tempfile.TemporaryDirectory(dir="/dev/shm" if Path("/dev/shm").is_dir() else None) as folder:
            told = Cluster(Path(folder), runs, machines, devices, Events(), piloted=known != "FLOPs").run()
        shares = "".join(f"{100 * told.busy(until):8.1f} %" for until in told.last_tenths())
        least = max(max(told.seconds.values()), sum(told.seconds.values()) / told.devices)
        print(f"{told.devices:7} {machines:9} {known:>8} {told.lost:5}  {shares} {told.took:9.0f} {least:11.0f}", flush=True)


if __name__ == "__main__":
    main()
