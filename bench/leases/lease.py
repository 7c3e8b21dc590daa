"""Who does a run: a lease in a shared folder, so that several processes and machines share the work of one `--out`.

A run's attempts are numbered from 1. Two files of an attempt are made once and never changed: `ID.N` says whose it is, and
`ID.N.end` how it ended: done, with the files that were then put in place; returned; or revoked, since its owner was gone.
Both are hard links, which exist at once and whole, on a local disk as on NFS; of several processes that make one, one
succeeds. Where there are no hard links they are folders, which are moved to their place whole. So an owner that was frozen and
wakes up late finds its attempt ended, and can put nothing in place of what another has put there.
"""

import errno
import json
import os
import shutil
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from bench.errors import UnwritableError
from bench.folders import faults_told, partial
from bench.leases.owner import Clock, Heart, Observer, Owner

How = Literal["done", "returned", "revoked"]
NO_LINKS = (errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK)
"""What a file system says that has no hard links."""
OCCUPIED = (errno.ENOTEMPTY, errno.EEXIST, errno.ENOTDIR)
"""What it says where a folder is to take the place of one that holds something, or of a file."""
CONTENT = "content"
"""The file in a folder that stands for a file of an attempt."""


@dataclass(frozen=True)
class Lease:
    """The right to do a run once. It can be lost while it is held; that shows when something is put in place."""

    leases: "Leases"
    what: str
    number: int
    """Of the attempt."""

    def put(self, write: Callable[[Path], object]) -> bool:
        """End the attempt with what `write` writes into a folder that stands for the output folder.

        Returns:
            False where the lease had been lost: then nothing is put in place, and what stands there is another's.
        """
        staged = self.leases.staged(self.what, self.number)
        try:
            write(staged)
            files = [path.relative_to(staged).as_posix() for path in staged.rglob("*") if path.is_file()]
            files.sort(key=lambda name: name.endswith(".json"))  # what a run is found by comes last
            won = self._end("done", files)
        except UnwritableError:
            shutil.rmtree(staged, ignore_errors=True)
            raise
        if won:
            self.leases.publish(self.what, self.number, files)
        else:
            shutil.rmtree(staged, ignore_errors=True)
        return won

    def end(self) -> bool:
        """It was tried, and what stood there before stays."""
        return self._end("done")

    def give_back(self) -> bool:
        """It was not tried: whoever comes next may."""
        return self._end("returned")

    def let_go(self) -> None:
        """The same where something is wrong already: what can't be written others see when this process has ended."""
        with suppress(UnwritableError):
            self.give_back()

    def _end(self, how: How, files: Sequence[str] = ()) -> bool:
        return self.leases.ended(self.what, self.number, how, files)


class Leases:
    """The leases of an output folder, as one owner sees and takes them."""

    def __init__(self, out: Path, owner: Owner | None = None, clock: Clock = time.monotonic) -> None:
        self.out, self.folder, self.owner = out, out / "leases", owner or Owner.here()
        self._observer, self._known = Observer(clock), dict[str, dict[str, Any]]()
        self.heart = Heart(self._heart(self.owner.id))

    def beating(self) -> AbstractContextManager[None]:
        """While the block lasts, others see that this owner is there."""
        with faults_told(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
        return self.heart.beating()

    def attempts(self) -> dict[str, tuple[int, bool]]:
        """By run: the number of its last attempt, and whether that has ended. One look at the folder."""
        attempts: dict[str, tuple[int, bool]] = {}
        for path in self.folder.iterdir() if self.folder.is_dir() else ():
            what, _, rest = path.name.partition(".")
            number, _, kind = rest.partition(".")
            if number.isdigit() and kind in ("", "end"):
                attempts[what] = max(attempts.get(what, (0, False)), (int(number), kind == "end"))
        return attempts

    def tried(self, what: str, numbers: Iterable[int]) -> bool:
        """Whether one of these attempts was done to its end, by whomever."""
        return any(self._read(f"{what}.{number}.end").get("how") == "done" for number in numbers)

    def settle(self, what: str, numbers: Iterable[int]) -> None:
        """Put in place what attempts of these numbers ended with."""
        for number in numbers:
            self.publish(what, number, self._read(f"{what}.{number}.end").get("files", []))

    def in_hand(self, what: str, number: int) -> bool:
        """Whether an attempt that has not ended is somebody's who is still there."""
        holder = self._read(f"{what}.{number}")
        return bool(holder) and not self._gone(holder)

    def busy(self, what: str) -> bool:
        """Whether somebody who is still there, and may be this owner, is doing the run."""
        last, ended = self.attempts().get(what, (1, False))
        return not ended and self.in_hand(what, last)

    def claim(self, what: str, number: int = 1) -> Lease | None:
        """The lease, if nobody has it who is still there; `number` is of an attempt before which all have ended."""
        while self._read(f"{what}.{number}.end"):
            number += 1
        if holder := self._read(f"{what}.{number}"):
            if not self._gone(holder):
                return None
            self.ended(what, number, "revoked")  # or another has done so, or it came to its end after all
            return self.claim(what, number)
        if number > 1:  # whoever did the last attempt may have been stopped before its files were in place
            self.settle(what, [number - 1])
        made = self._made(f"{what}.{number}", self.owner.as_json())
        return Lease(self, what, number) if made else None

    def ended(self, what: str, number: int, how: How, files: Sequence[str] = ()) -> bool:
        """End an attempt in this way, unless it has ended before."""
        return self._made(f"{what}.{number}.end", {"how": how, "by": self.owner.id, "files": list(files)})

    def staged(self, what: str, number: int) -> Path:
        """Where an attempt's files lie before they are put in place."""
        return self.folder / f"{what}.{number}.staged"

    def publish(self, what: str, number: int, files: Sequence[str]) -> None:
        """Put the files of an attempt that ended with them in place.

        Each is moved once, whoever moves it: where it is gone from its first place, it has been in the other.
        """
        for name in files:
            place = self.out / name
            with faults_told(place), suppress(FileNotFoundError):
                place.parent.mkdir(parents=True, exist_ok=True)
                (self.staged(what, number) / name).rename(place)
        if files:
            shutil.rmtree(self.staged(what, number), ignore_errors=True)

    def _gone(self, holder: dict[str, Any]) -> bool:
        owner = Owner(**holder)
        return owner.id != self.owner.id and (owner.ended() or self._observer.still(self._heart(owner.id)))

    def _heart(self, owner: str) -> Path:
        return self.folder / f"{owner}.heart"

    def _read(self, name: str) -> dict[str, Any]:
        """What a file of an attempt says, which never changes; empty where there is none."""
        if name not in self._known:
            path = self.folder / name
            # A folder that was made between these two looks is seen at the next one.
            with suppress(FileNotFoundError, IsADirectoryError):
                self._known[name] = json.loads((path / CONTENT if path.is_dir() else path).read_text(encoding="utf-8"))
        return self._known.get(name, {})

    def _made(self, name: str, content: dict[str, Any]) -> bool:
        """Whether the file could be made here, since there was none."""
        path, text = self.folder / name, json.dumps(content)
        with faults_told(path):
            try:
                return _made_as_link(path, text)
            except OSError as error:
                if error.errno not in NO_LINKS:
                    raise
                return _made_as_folder(path, text)


def _made_as_link(path: Path, text: str) -> bool:
    with partial(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
        try:
            os.link(temporary, path)
        except FileExistsError:
            # An answer that the network lost is asked for again, and then says that the file is there: it is this one.
            return temporary.stat().st_nlink == 2
    return True


def _made_as_folder(path: Path, text: str) -> bool:
    """The same without hard links, as a folder: the system lets none take the place of one that holds something, and moves it
    whole or not at all."""
    with partial(path, folder=True) as temporary:
        (temporary / CONTENT).write_text(text, encoding="utf-8")
        try:
            temporary.rename(path)
        except OSError as error:
            if error.errno not in OCCUPIED:
                raise
            return False
    return True
