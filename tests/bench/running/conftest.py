"""Runs of the built-in suites on small models, cut to a few items, and their sessions."""

from collections.abc import Callable

import pytest

from bench.devices.device import Device
from bench.planning import plan
from bench.progress import Progress
from bench.running.evaluation import Session
from bench.running.run import Run


@pytest.fixture(scope="session")
def planned() -> Callable[..., Run]:
    """The one run of a suite under a strategy; by default of the 2-layer BERT."""

    def made(strategy: str, suite: str = "sentiment-domains", model: object = "tiny-bert", **options: object) -> Run:
        small = {"budget": "32", "probe_items": 6, "test_items": 12, "strategies": [strategy]}
        (run,) = plan.plan(plan.PlanOptions(suite, model=str(model), **(small | options)), "fp32")
        return run

    return made


@pytest.fixture(scope="session")
def opened(device: Device) -> Callable[[Run], Session]:
    """A run's session: its data is read and its probes are made."""
    return lambda run: Session.of(run, device, Progress(False, 1))
