"""Files inside a zip or tar archive, and inside an archive in it: read in memory, never unpacked to disk."""

import io
import lzma
import tarfile
import zipfile
import zlib
from typing import BinaryIO

NESTED = "!"
"""`a.tar.gz!b/c.txt` is the file b/c.txt of the archive a.tar.gz."""


def read(file: BinaryIO, inside: str) -> bytes:
    """The content of one member.

    Raises:
        KeyError: there is no such file; its argument is the part of `inside` that was looked for.
        ValueError: `file`, or an archive in it, is neither zip nor tar, or is damaged.
    """
    first, _, rest = inside.partition(NESTED)
    # By content, not by name: a wheel is a zip.
    content = _from_zip(file, first) if zipfile.is_zipfile(file) else _from_tar(file, first)
    return read(io.BytesIO(content), rest) if rest else content


def names(file: BinaryIO) -> list[str]:
    """Names of all files, folders left out; ValueError as in `read`."""
    if zipfile.is_zipfile(file):
        return [name for name in zipfile.ZipFile(file).namelist() if not name.endswith("/")]
    with _tar(file) as archive:
        return [entry.name for entry in archive if entry.isfile()]


def _from_zip(file: BinaryIO, inside: str) -> bytes:
    try:
        return zipfile.ZipFile(file).read(inside)
    except (zipfile.BadZipFile, zlib.error, EOFError) as error:
        raise ValueError(f"damaged zip archive ({error})") from error


def _from_tar(file: BinaryIO, inside: str) -> bytes:
    with _tar(file) as archive:
        try:
            member = archive.extractfile(inside)
            if member is None:  # a folder
                raise KeyError(inside)
            return member.read()
        except (tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError) as error:
            raise ValueError(f"damaged tar archive ({error})") from error


def _tar(file: BinaryIO) -> tarfile.TarFile:
    file.seek(0)  # zipfile.is_zipfile has looked for its directory at the end
    try:
        return tarfile.open(fileobj=file)
    # tarfile lets its decompressors' errors through: OSError of gzip and bz2, EOFError where the file is cut off.
    except (tarfile.TarError, OSError, EOFError, zlib.error, lzma.LZMAError) as error:
        raise ValueError(f"neither a zip nor a tar archive ({' '.join(str(error).split())})") from error
