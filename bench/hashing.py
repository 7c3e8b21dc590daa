"""Ids: the one way in which a value becomes a short hash."""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any


def digest(value: Any) -> str:
    """16 hex digits of the SHA-256 of a JSON value, keys sorted: 64 bits, enough for any number of runs that will be made."""
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:16]


def code_digest(files: Iterable[Path]) -> str:
    """Of the text of these files: what other code has made and kept may be another thing."""
    return digest([path.read_text(encoding="utf-8") for path in files])
