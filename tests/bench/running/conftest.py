"""Sessions of runs."""

from collections.abc import Callable

import pytest

from bench.devices.device import Device
from bench.progress import Progress
from bench.running.evaluation import Session
from bench.running.run import Run


@pytest.fixture(scope="session")
def opened(device: Device) -> Callable[[Run], Session]:
    """A run's session: its data is read and its probes are made."""
    return lambda run: Session.of(run, device, Progress(False, 1))
