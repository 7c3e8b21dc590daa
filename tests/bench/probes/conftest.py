"""Probes over rows written by a test, or over their own data."""

import json
from pathlib import Path

import pytest

from bench.probes import probe_class
from bench.specs.probe import ProbeSpec
from bench.specs.source import Source


@pytest.fixture
def made():
    """The probe of a spec, on at most `limit` items."""
    return lambda spec, encoding, limit=12: probe_class(spec)(spec, encoding, limit)


@pytest.fixture
def own(tmp_path: Path):
    """A spec of the kind whose rows stand in a file of the user's."""

    def spec(kind, rows, **more):
        (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
        source = Source(path=str(tmp_path / "rows.jsonl"), columns={name: name for name in rows[0]}, **more.pop("source", {}))
        return ProbeSpec(name="own", version=1, description="", kind=kind, source=source, **more)

    return spec
