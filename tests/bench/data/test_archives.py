import io
import tarfile
import zipfile

import pytest

from bench.data import archives


def tar(files, mode="w:gz"):
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode=mode) as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()


def zipped(files):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return made.getvalue()


FILES = {"a/one.txt": b"1", "a/two.txt": b"2"}


@pytest.mark.parametrize("content", [tar(FILES), tar(FILES, "w:bz2"), tar(FILES, "w"), zipped(FILES)])
def test_members_of_tar_and_zip(content):
    file = io.BytesIO(content)
    assert archives.member_names(file) == list(FILES)
    assert [archives.read_member(file, name) for name in FILES] == [b"1", b"2"]
    with pytest.raises(KeyError):
        archives.read_member(file, "a/three.txt")


def test_an_archive_in_an_archive_in_an_archive():
    content = zipped({"x/b.tar.gz": tar({"c.zip": zipped(FILES)})})
    assert archives.read_member(io.BytesIO(content), "x/b.tar.gz!c.zip!a/two.txt") == b"2"
    with pytest.raises(KeyError, match="a/no.txt"):
        archives.read_member(io.BytesIO(content), "x/b.tar.gz!c.zip!a/no.txt")


@pytest.mark.parametrize(
    ("content", "inside"),
    [
        (b"text", "a"),
        (b"", "a"),
        (zipped({"b.tar.gz": b"text"}), "b.tar.gz!a"),
        (tar({"long": bytes(range(256)) * 400})[:300], "long"),
        (zipped({"long": b"x" * 999})[:500], "long"),
    ],
)
def test_what_is_no_archive_says_so(content, inside):
    with pytest.raises(ValueError, match="archive"):
        archives.read_member(io.BytesIO(content), inside)


def test_a_folder_is_no_file():
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        entry = tarfile.TarInfo("folder")
        entry.type = tarfile.DIRTYPE
        archive.addfile(entry)
    with pytest.raises(KeyError):
        archives.read_member(made, "folder")
    assert archives.member_names(made) == []
