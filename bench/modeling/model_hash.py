"""A hash of what a model's folder holds: equal for two folders with the same weights, config and tokenizer files."""

import hashlib
import json
import os
import struct
from collections.abc import Iterator, Sequence
from contextlib import suppress
from functools import cache as once
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

from bench import folders
from bench.errors import UserError

HASH_FILE = "content.v2.sha256"
"""Name of the file in a prepared folder that keeps its hash: inside, so that both come and go together. Its number is that of
the way of hashing: a later way must not read what an earlier one kept."""
INCIDENTAL = {"transformers_version", "_name_or_path", "name_or_path", "_commit_hash", "is_local", "local_files_only"}
"""Entries of *config.json that say by which version and from where a file was written, and change no output."""
TEXTS = (".txt", ".model", ".jinja", ".tiktoken", ".bpe", ".py")
"""Endings of the files beside weights and JSON that change what a model gives: of tokenizers, chat templates and own code."""
READ_BYTES = 2**22
FOLDERS = 32
"""Whose hashes are kept in a process."""


@once
def kept_hash(folder: Path) -> str:
    """The hash of a folder in the cache, which nothing changes after it was made: that is looked at once a process.

    Raises:
        ValueError: it holds something else than when its hash was kept, or can't be read; it was changed, or the disk is bad.
    """
    try:
        computed, kept = content_hash(folder), folder / HASH_FILE
        if kept.is_file() and kept.read_text(encoding="utf-8") != computed:
            raise ValueError(f"{folder} has another content than when it was made")
    except (OSError, UserError) as error:
        raise ValueError(str(error)) from error
    if not kept.is_file():
        with suppress(UserError):  # a cache that cannot be written is hashed all the same
            folders.write_text(kept, computed)
    return computed


def content_hash(folder: Path) -> str:
    """SHA-256, 64 hex digits, over what determines the model's outputs: weights, config, tokenizer, the folder's own code.

    Weights count tensor by tensor in the order of their names, and JSON with its keys sorted: the order in a file, and the
    number of files that the weights are cut into, are the writing library's choice. *.index.json says no more than that. Other
    safetensors files count with their names: an adapter's, which is loaded too, or one that config.json names. A folder whose
    files have not been touched is read once a process.

    Raises:
        UserError: a file is damaged, or is a pipe or a device, which would be read without end.
    """
    texts = []
    for path in sorted(folder.iterdir()):
        if path.suffix in (*TEXTS, ".json") and not path.is_file() and not path.is_dir():
            raise UserError(f"{path} is no plain file, or a link to none; a model's folder holds its files")
        said = path.suffix in TEXTS or (path.suffix == ".json" and not path.name.endswith(".safetensors.index.json"))
        if said and path.is_file():
            texts.append(path)
    weights = weight_files(folder)
    others = sorted(set(folder.glob("*.safetensors")) - set(weights))
    states = tuple(map(folders.file_state, (*texts, *weights, *others)))
    return _hash_of_content(tuple(texts), tuple(weights), tuple(others), states)


# The states are not read: where one of them changed the files are.
@lru_cache(maxsize=FOLDERS)
def _hash_of_content(
    texts: tuple[Path, ...],
    weights: tuple[Path, ...],
    others: tuple[Path, ...],
    _states: tuple[tuple[int, ...] | None, ...],
) -> str:
    digest = hashlib.sha256()
    for path in texts:
        content = hashlib.sha256(_canonical_json(path)).hexdigest() if path.suffix == ".json" else folders.sha256(path)
        digest.update(f"{path.name}:{content}\n".encode())
    for name, tensor in sorted(_hashed_tensors(weights)):
        digest.update(f"{name}:{tensor}\n".encode())
    for path in others:
        for name, tensor in sorted(_hashed_tensors([path])):
            digest.update(f"{path.name}/{name}:{tensor}\n".encode())
    return digest.hexdigest()


def check_unchanged(folder: Path, planned: str) -> None:
    """Raise UserError where a model's folder no longer holds what it held when a run was planned with it, by its hash then."""
    if content_hash(folder) != planned:
        raise UserError(f"the model in {folder} has changed since the run was planned; give the command again")


def weight_files(folder: Path) -> list[Path]:
    """Those of a folder's safetensors files that hold its model: model.safetensors, else what the index names, else all.

    Raises:
        UserError: the index is none, or names a file that is not there.
    """
    whole, index = folder / "model.safetensors", folder / "model.safetensors.index.json"
    if whole.is_file():
        return [whole]
    if not index.is_file():
        return sorted(folder.glob("*.safetensors"))
    try:
        named = sorted(set(json.loads(index.read_text(encoding="utf-8"))["weight_map"].values()))
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        raise UserError(f"{index} is no index of safetensors files; fetch or save it again") from error
    for name in named:
        if not (isinstance(name, str) and Path(name).name == name and (folder / name).is_file()):
            raise UserError(f"{index} names {name!r:.80}, and the folder has no such file; fetch or save the model again")
    return [folder / name for name in named]


def _canonical_json(path: Path) -> bytes:
    content = path.read_bytes()
    try:
        value = json.loads(content)
    except (ValueError, RecursionError):  # whoever loads the model will say so; as a text it has a hash all the same
        return content
    # A vocabulary may hold any word, these too, so that no other file loses entries.
    value = _without_incidental(value) if path.name.endswith("config.json") else value
    return json.dumps(value, sort_keys=True).encode()


def _without_incidental(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_incidental(entry) for key, entry in value.items() if key not in INCIDENTAL}
    return [_without_incidental(entry) for entry in value] if isinstance(value, list) else value


def _hashed_tensors(files: Sequence[Path]) -> Iterator[tuple[str, str]]:
    """Each tensor's name, and its type, shape and SHA-256.

    Read so, no tensor of a type that numpy lacks (bf16) is converted.

    Raises:
        UserError: a file is of another format.
    """
    for path in files:
        try:
            yield from _hashed_tensors_of_file(path)
        except (ValueError, KeyError, TypeError, AttributeError, RecursionError, struct.error) as error:
            raise UserError(f"{path} is no safetensors file, or is damaged ({type(error).__name__}); fetch it again") from error


def safetensors_header(file: BinaryIO) -> tuple[dict[str, Any], int]:
    """Each tensor's entry (`dtype`, `shape`, `data_offsets`) by its name, and where in the file its tensors' bytes begin.

    A safetensors file is 8 bytes of the header's length, the header in JSON, and the tensors' bytes
    (https://github.com/huggingface/safetensors#format).

    Raises:
        ValueError: the header is longer than the file.
    """
    (length,) = struct.unpack("<Q", file.read(8))
    if length > os.fstat(file.fileno()).st_size:
        raise ValueError("the header is longer than the file")
    header: dict[str, Any] = json.loads(file.read(length))
    header.pop("__metadata__", None)  # words of whoever wrote the file, and no tensor
    return header, 8 + length


def _hashed_tensors_of_file(path: Path) -> Iterator[tuple[str, str]]:
    with path.open("rb") as file:
        header, begin = safetensors_header(file)
        for name, entry in header.items():
            start, end = entry["data_offsets"]
            file.seek(begin + start)
            digest = hashlib.sha256()
            for place in range(start, end, READ_BYTES):
                digest.update(file.read(min(READ_BYTES, end - place)))
            yield name, f"{entry['dtype']} {entry['shape']} {digest.hexdigest()}"
