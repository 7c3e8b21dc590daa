"""Files of others, read at this one place: how large they may be, and that a value is of the type that it should be.

They are JSON and nothing else: nothing in them is run, imported or unpickled.
"""

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.errors import FormatError

MOST_BYTES = 64 * 2**20
"""Of a file that is read as a whole, and of one line of one that is read line by line."""
MOST_LINES = 1_000_000
MOST_TEXT = 4_000
"""Characters of one text; longer ones are cut where they are answers, and refused where they are names."""
MOST_LEVELS = 20
"""Of objects and lists inside each other in settings; pydantic writes no more than some hundreds of them."""
MOST_SETTINGS = 100_000
"""Values of one object of settings, those inside it counted."""


def is_finite(value: float) -> bool:
    """Also of a whole number that no float can hold, which JSON may have."""
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


@dataclass(frozen=True)
class Given:
    """A JSON value of somebody else's file, and where it stands there. What it is asked for it gives, or says what is wrong.

    Raises:
        FormatError: by all methods, for a value that is missing or of another type.
    """

    value: Any
    place: str = ""

    def __getitem__(self, name: str) -> "Given":
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        # A null says no more than a key that is not there.
        if self.value.get(name) is None:
            raise FormatError(self._below(name), "is missing")
        return Given(self.value[name], self._below(name))

    def get(self, name: str) -> "Given | None":
        """None where there is no such key, or null."""
        return self[name] if isinstance(self.value, dict) and self.value.get(name) is not None else None

    def text(self) -> str:
        """A name: printable, and not empty."""
        if not isinstance(self.value, str) or not self.value.strip() or not self.value.isprintable():
            raise self.wrong("a text on one line")
        if len(self.value) > MOST_TEXT:
            raise self.wrong(f"a text of at most {MOST_TEXT:,} characters")
        return self.value

    def number(self, low: float = -math.inf, high: float = math.inf) -> float:
        # Python takes `true` for the number 1.
        if isinstance(self.value, bool) or not isinstance(self.value, int | float) or not is_finite(self.value):
            raise self.wrong("a finite number")
        if not low <= self.value <= high:
            raise self.wrong(f"a number from {low:g} to {high:g}")
        return float(self.value)

    def whole(self) -> int:
        """A count."""
        if self.number(0) != int(self.value) or self.value > 2**63:
            raise self.wrong("a whole number")
        return int(self.value)

    def last(self) -> "Given":
        """Of a list."""
        if not isinstance(self.value, list) or not self.value:
            raise self.wrong("a list with something in it")
        return Given(self.value[-1], f"{self.place}[-1]")

    def parts(self) -> Iterator[tuple[str, "Given"]]:
        """Of an object."""
        if not isinstance(self.value, dict):
            raise self.wrong("an object")
        yield from ((name, Given(part, self._below(name))) for name, part in self.value.items())

    def settings(self) -> dict[str, Any]:
        """An object as it is, if all in it are finite numbers, texts, truth values and nulls, and not too many."""
        known = {name: part.value for name, part in self.parts()}
        if _is_deeper(known, MOST_LEVELS):
            raise self.wrong(f"an object of at most {MOST_LEVELS} levels")
        inside = list(leaves(known))
        if len(inside) > MOST_SETTINGS:
            raise self.wrong(f"an object of at most {MOST_SETTINGS:,} values")
        if any(isinstance(value, float) and not math.isfinite(value) for value in inside):
            raise self.wrong("an object of finite numbers")
        if any(isinstance(value, str) and len(value) > MOST_TEXT for value in inside):
            raise self.wrong(f"an object of texts of at most {MOST_TEXT:,} characters")
        return known

    def wrong(self, wanted: str) -> FormatError:
        # What a stranger's value holds must not steer the terminal that shows its fault.
        shown = json.dumps(self.value, ensure_ascii=True)
        return FormatError(self.place or "file", f"{shown[:60]}{'…' if len(shown) > 60 else ''} is not {wanted}")

    def _below(self, name: str) -> str:
        return f"{self.place}.{name}" if self.place else name


PRECISIONS = {"float32": "fp32", "bfloat16": "bf16", "float16": "fp16"}


def precision(written: Given) -> str:
    """`torch.bfloat16` in the words of our records, `bf16`."""
    name = written.text().removeprefix("torch.")
    return PRECISIONS.get(name, name)


def _is_deeper(value: Any, levels: int) -> bool:
    """Whether objects and lists stand inside each other on more levels than these."""
    if not isinstance(value, dict | list):
        return False
    return levels == 0 or any(_is_deeper(each, levels - 1) for each in (value.values() if isinstance(value, dict) else value))


def leaves(value: Any) -> Iterator[Any]:
    """What is neither an object nor a list, in a JSON value."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    if inside is None:
        yield value
    else:
        for each in inside:
            yield from leaves(each)


def read_object(path: Path) -> tuple[Given, bytes]:
    """A file that is one JSON object, and its bytes.

    Raises:
        FormatError: it cannot be read, is too large, or is no JSON object.
    """
    _check_regular(path)
    with _opened_file(path) as file:
        # One byte more than is allowed tells that there is more, and costs no more memory.
        content = file.read(MOST_BYTES + 1)
    return _parsed_object(content, "file"), content


def read_lines(path: Path) -> Iterator[Given]:
    """The objects of a JSON-lines file, one at a time.

    Raises:
        FormatError: as for `read_object`, with the number of the line.
    """
    _check_regular(path)
    with _opened_file(path) as file:
        # One line more than is allowed is looked for, since a file may end with the last one.
        for number in range(1, MOST_LINES + 2):
            # A file without line ends would else be read as one line of any size.
            line = file.readline(MOST_BYTES + 1)
            if not line:
                return
            if number > MOST_LINES:
                raise FormatError("file", f"has more than {MOST_LINES:,} lines")
            if line.strip():
                yield _parsed_object(line, f"line {number}")


def _check_regular(path: Path) -> None:
    """A pipe or a device would be read without end."""
    if not path.is_file():
        raise FormatError("file", "is no plain file")


def _opened_file(path: Path) -> Any:
    try:
        return path.open("rb")
    except OSError as error:
        raise FormatError("file", f"cannot be read ({error.strerror})") from error


def _parsed_object(content: bytes, place: str) -> Given:
    if len(content) > MOST_BYTES:
        raise FormatError(place, f"is larger than {MOST_BYTES >> 20} MiB")
    try:
        value = json.loads(content.decode("utf-8"))
        if b"\\ud" in content.lower():
            # Half a character, which JSON can write and no file of ours could hold, becomes a question mark.
            value = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError) as error:
        raise FormatError(place, f"is not JSON ({str(error)[:80]})") from error
    if not isinstance(value, dict):
        raise FormatError(place, "is not a JSON object")
    return Given(value, "" if place == "file" else place)
