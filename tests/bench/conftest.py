"""Runs of the built-in suites on small models, cut to a few items, and probes over their own data or a test's rows."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from bench.devices.device import Device
from bench.measuring.evaluation import Session
from bench.planning import plan
from bench.planning.options import PlanOptions
from bench.probes import probe_class
from bench.progress import Progress
from bench.runs.run import Run
from bench.specs.probe import ProbeSpec
from bench.specs.source import Source


@pytest.fixture(scope="session")
def planned() -> Callable[..., Run]:
    """The one run of a suite under a strategy; by default of the 2-layer BERT."""

    def made(strategy: str, suite: str = "sentiment-domains", model: object = "tiny-bert", **options: object) -> Run:
        small = {"budget": "32", "probe_items": 6, "test_items": 12, "strategies": [strategy]}
        (run,) = plan.plan(PlanOptions(suite, model=str(model), **(small | options)), "fp32")
        return run

    return made


@pytest.fixture
def made():
    """The probe of a spec, on at most `limit` items."""
    return lambda spec, encoding, limit=12: probe_class(spec)(spec, encoding, limit)


@pytest.fixture
def own(tmp_path: Path):
    """A probe's spec of the kind whose rows stand in a file of the user's."""

    def spec(kind, rows, **more):
        (tmp_path / "rows.jsonl").write_text("\n".join(map(json.dumps, rows)))
        source = Source(path=str(tmp_path / "rows.jsonl"), columns={name: name for name in rows[0]}, **more.pop("source", {}))
        return ProbeSpec(name="own", version=1, description="", kind=kind, source=source, **more)

    return spec


@pytest.fixture(scope="session")
def opened(device: Device) -> Callable[[Run], Session]:
    """A run's session: its data is read and its probes are made."""
    return lambda run: Session.of(run, device, Progress(False, 1))


@pytest.fixture
def own_bytes() -> Callable[[Path], int]:
    """How many bytes of a mapped file, or of a folder's files, this process has written, and so has for itself."""

    def counted(place: Path) -> int:
        own, inside = 0, False
        for line in Path("/proc/self/smaps").read_text().splitlines():
            if re.match(r"[0-9a-f]+-[0-9a-f]+ ", line):
                inside = str(place) in line
            elif inside and line.startswith("Anonymous:"):
                own += 1024 * int(line.split()[1])
        return own

    return counted
