"""Real records of older schemas, shortened by hand."""

import json
from pathlib import Path
from typing import Any

import pytest

SAMPLES = Path(__file__).parent / "samples"


@pytest.fixture(params=sorted((SAMPLES / "v1").glob("*.json")), ids=lambda path: path.stem)
def of_schema_1(request) -> Path:
    return request.param


@pytest.fixture
def sample() -> Any:
    """A record of schema 1 by name, as JSON."""
    return lambda name: json.loads((SAMPLES / "v1" / f"{name}.json").read_text(encoding="utf-8"))
