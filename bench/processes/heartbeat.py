"""Of several processes, which one is silent, or keeps the others waiting: they end, and say so, instead of waiting for ever.

Each process writes a sign of life under OUT/status/ranks/ and reads those of the others, on a thread of its own. A process that
is killed its launcher sees at once; this is for one that is frozen, whose machine is gone, or that is stuck.
"""

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import NamedTuple

from bench import folders
from bench.errors import UserError
from bench.hashing import digest
from bench.process_identity import machine
from bench.processes import ranks

SILENCE = 60.0
"""Seconds without a sign of life after which a process counts as gone."""
OWN_SILENCE = "TUNEBENCH_SILENCE"
"""Environment variable with other such seconds, as for a disk that is slow."""
SIGNS_FILE = "TUNEBENCH_SIGNS"
"""Environment variable with the path of a file for the folder of the signs, where a launcher finds a dead process's last."""
HANG = 540.0
"""Seconds that a process may keep the others waiting. After ten minutes NCCL ends them without a name."""
COLLECTIVE = ("torch/distributed/", "accelerate/utils/operations")
"""Where a process waits for others, by parts of a file's path. What a GPU waits for within a step is not seen so."""
BACKWARD = "_engine_run_backward"
"""There it does too: gradients are averaged while they are computed."""


class Sign(NamedTuple):
    """Of one process, as another reads it."""

    beat: int
    phase: str
    place: str
    """The innermost line of tunebench that it is in."""
    waits: bool
    """Whether it waits for others there."""
    still: float
    """Seconds for which it has been there, by its own clock."""

    @property
    def last_phase(self) -> str:
        """For a person to read."""
        return f"its last phase: {self.phase or 'start'}{f', in {self.place}' if self.place else ''}"


class Heartbeat:
    """One process's sign of life, and its look at the others'. The lowest rank that notices tells, and ends its process.

    Args:
        folder: of these processes alone, on a disk that all of them see.
        phase: what the run is at.
    """

    def __init__(
        self, folder: Path, world: int, phase: Callable[[], str], silence: float = SILENCE, hang: float = HANG
    ) -> None:
        self.folder, self.world, self.phase, self.silence, self.hang = folder, world, phase, silence, hang
        self._beat, self._place, self._since = 0, ("", ""), time.monotonic()
        self._looked = time.monotonic()
        self._signs = {rank: (Sign(-1, "", "", False, 0.0), time.monotonic()) for rank in range(world)}
        self._left = {rank: self._read(rank) for rank in range(world)}
        self._main = threading.main_thread().ident
        self._ended = threading.Event()

    def start(self) -> None:
        """From here on, until `stop`."""
        threading.Thread(target=self._watch, daemon=True).start()

    def stop(self) -> None:
        self._ended.set()
        (self.folder / f"{ranks.rank()}.json").unlink(missing_ok=True)

    def fault(self) -> str:
        """Which process is gone or stuck, its last phase, and why; empty where none is."""
        now = time.monotonic()
        for rank in set(range(self.world)) - {ranks.rank()}:
            sign, since = self._signs[rank]
            where = sign.last_phase
            if sign.beat >= 0 and now - since > self.silence:
                return f"rank {rank} has given no sign of life for {now - since:.0f} s; {where}"
            own = self._sign()
            if own.waits and min(own.still, sign.still) > self.hang and not sign.waits:
                return f"rank {rank} keeps the others waiting, for {sign.still:.0f} s; {where}"
        return ""

    def look(self) -> None:
        """Write the own sign, and read the others'."""
        self._beat += 1
        folders.write_text(self.folder / f"{ranks.rank()}.json", json.dumps(self._sign()))
        missed, self._looked = time.monotonic() - self._looked, time.monotonic()
        if missed > self.silence / 2:  # it was frozen itself, or could not write, as the others may: nobody is blamed for that
            self._since += missed
            self._signs = {rank: (sign, since + missed) for rank, (sign, since) in self._signs.items()}
        for rank in range(self.world):
            sign = self._read(rank)
            # What a killed process of an earlier launch has left there is no sign of this one's.
            if sign and sign != self._left[rank] and sign.beat != self._signs[rank][0].beat:
                self._signs[rank] = sign, time.monotonic()

    def _read(self, rank: int) -> Sign | None:
        return _sign_in(self.folder, rank)

    def _watch(self) -> None:
        while not self._ended.wait(min(1.0, self.silence / 4)):
            try:
                self.look()
            except Exception:  # a full disk, say: a process that works is not ended for its heartbeat
                continue
            if (fault := self.fault()) and not self._ended.is_set():
                lowest = not any(rank < ranks.rank() and self._speaks(rank) for rank in range(self.world))
                if lowest:
                    ranks.end_now(f"error: {fault}; the same command goes on from the last checkpoint")

    def _speaks(self, rank: int) -> bool:
        sign, since = self._signs[rank]
        return sign.beat >= 0 and time.monotonic() - since <= self.silence

    def _sign(self) -> Sign:
        place, waits = _whereabouts(sys._current_frames().get(self._main or 0))
        if (self.phase(), place) != self._place:
            self._place, self._since = (self.phase(), place), time.monotonic()
        return Sign(self._beat, self.phase(), place, waits, time.monotonic() - self._since)


def _sign_in(folder: Path, rank: int) -> Sign | None:
    try:
        return Sign(*json.loads((folder / f"{rank}.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        return None


def phase_of_dead(rank: int) -> str:
    """The last phase of a process that this launcher has started, for a person to read; empty where the launcher was not told
    of a file for the folder of the signs."""
    if not (path := os.environ.get(SIGNS_FILE)):
        return ""
    try:
        sign = _sign_in(Path(Path(path).read_text(encoding="utf-8")), rank)
    except (OSError, ValueError):  # none has begun to beat
        sign = None
    return (sign or Sign(0, "", "", False, 0.0)).last_phase


def _silence() -> float:
    """As it is given, or SILENCE.

    Raises:
        UserError: it is no number of seconds.
    """
    given = os.environ.get(OWN_SILENCE) or str(SILENCE)
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not 1 < seconds < float("inf"):  # a sign is written every second
        raise UserError(f"{OWN_SILENCE}={given}: give a number of seconds above 1, or leave it out for {SILENCE:.0f}")
    return seconds


def _whereabouts(frame: FrameType | None) -> tuple[str, bool]:
    """The innermost line of tunebench on a stack, and whether what is called there waits for other processes."""
    own, waits = str(Path(__file__).parents[1]) + os.sep, False
    while frame is not None:
        name = frame.f_code.co_filename
        if name.startswith(own):
            return f"{os.path.relpath(name, Path(own).parent)}:{frame.f_lineno}", waits
        waits |= any(part in name for part in COLLECTIVE) or frame.f_code.co_name == BACKWARD
        frame = frame.f_back
    return "", waits


@contextmanager
def beating(out: Path, world: int, phase: Callable[[], str]) -> Iterator[None]:
    """While the block is done each of several processes has a heartbeat; one that is alone needs none."""
    if world == 1:
        yield
        return
    # Two launches into one folder are told apart by where their processes meet.
    address = os.environ.get("MASTER_ADDR", "here")
    if address in ("here", "localhost") or address.startswith("127."):  # which another machine on this folder calls itself too
        address = machine()
    meeting = f"{digest(address)}-{os.environ.get('MASTER_PORT', '0')}"
    folder = out / "status" / "ranks" / meeting
    # What a killed process of an earlier launch has left there is no sign of this one's, for the launcher neither.
    (folder / f"{ranks.rank()}.json").unlink(missing_ok=True)
    ranks.write_for_launcher(SIGNS_FILE, str(folder.absolute()))
    heart = Heartbeat(folder, world, phase, _silence())
    heart.start()
    try:
        yield
    finally:
        heart.stop()
