"""A model's weights in the number format in which it is asked for, in files of the cache.

transformers maps a safetensors file into memory and leaves tensors where they lie there, so that all processes of a machine
share the file's pages, which the system may drop and read again. What is saved in another format it converts, and then each
process holds a copy of its own: 27 GB of a model of 6.7 billion weights that was saved in 16 bits.
"""

import json
import shutil
import struct
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO

import torch
from safetensors import safe_open

from bench import folders
from bench.modeling.model_files import MODEL_ENDINGS
from bench.modeling.model_hash import safetensors_header
from bench.modeling.models import Model

CONVERTED = ("F16", "BF16", "F32", "F64")
"""Formats that transformers converts; others, such as a mask's or a packed weight's, it takes as they are."""
FORMATS = {32: ("F32", torch.float32), 16: ("BF16", torch.bfloat16)}
"""Bits of a weight -> its format in safetensors and in torch."""
KEPT_WIDE = ("_keep_in_fp32_modules", "_keep_in_fp32_modules_strict")
"""Where a class of transformers names weights that stay in fp32 in a model of 16 bits."""
HEADER_STEP = 8
"""Of which a header's length is a multiple, as safetensors' own writer has it: so numbers stand where they can be mapped."""


@dataclass(frozen=True)
class MappedCopy:
    """The copy of a model that is to be loaded in so many bits, 32 or 16, whether it is there or not."""

    model: Model
    bits: int

    @property
    def path(self) -> Path:
        return folders.cache() / "mapped" / f"{self.model.content_hash[:16]}-{FORMATS[self.bits][0].lower()}"

    @cached_property
    def needed(self) -> bool:
        """Whether the model's own files would be converted, each number to the same format."""
        shape, wanted = self.model.bare_shape(), FORMATS[self.bits][0]
        if self.bits < 32 and any(getattr(shape, name, None) for name in KEPT_WIDE):
            return False
        formats = {entry["dtype"] for header in self._headers for entry in header.values()}
        return not formats.isdisjoint(set(CONVERTED) - {wanted})

    @property
    def missing_bytes(self) -> int:
        """That making it would take on the disk."""
        if not self.needed or self.path.is_dir():
            return 0
        return sum(end - start for header in self._headers for _, _, (start, end) in _converted(header, self.bits))

    @cached_property
    def _headers(self) -> list[dict[str, Any]]:
        return [_header(path) for path in self.model.folder.glob("*.safetensors")]

    def made(self) -> Model:
        """The model as it is in these files, which are written now if need be; the same one where none are needed."""
        if not self.needed:
            return self.model
        if not self.path.is_dir():
            with folders.making_once(self.path) as temporary:
                self._write(temporary)
        return replace(self.model, source=self.path)

    def _write(self, target: Path) -> None:
        for path in self.model.folder.iterdir():
            if path.suffix == ".safetensors":
                _convert(path, target / path.name, self.bits)
            elif path.suffix in (*MODEL_ENDINGS, ".py") and path.is_file():
                shutil.copyfile(path, target / path.name)


def _header(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return safetensors_header(file)[0]


def _converted(header: dict[str, Any], bits: int) -> Iterator[tuple[str, dict[str, Any], tuple[int, int]]]:
    """Each tensor's name, its entry, and its place in the copy: converted ones first, as a mask of odd size would move them."""
    start = 0
    for name, entry in sorted(header.items(), key=lambda pair: (pair[1]["dtype"] not in CONVERTED, pair[0])):
        first, last = entry["data_offsets"]
        size = last - first
        if entry["dtype"] in CONVERTED:
            size = size // (int(entry["dtype"].lstrip("BF")) // 8) * (bits // 8)
        yield name, entry, (start, start + size)
        start += size


def _convert(path: Path, target: Path, bits: int) -> None:
    """Tensor by tensor, so that no process ever holds more than one."""
    tensors = list(_converted(_header(path), bits))
    said, torch_type = FORMATS[bits]
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    for name, entry, place in tensors:
        converts = entry["dtype"] in CONVERTED
        header[name] = {"dtype": said if converts else entry["dtype"], "shape": entry["shape"], "data_offsets": list(place)}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % HEADER_STEP)
    with safe_open(path, framework="pt") as source, target.open("wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        for name, entry, _ in tensors:
            tensor = source.get_tensor(name)
            _write_numbers(file, tensor.to(torch_type) if entry["dtype"] in CONVERTED else tensor)


def _write_numbers(file: BinaryIO, tensor: torch.Tensor) -> None:
    file.write(tensor.contiguous().reshape(-1).view(torch.uint8).numpy().data)
