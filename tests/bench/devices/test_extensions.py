import os
import time

import pytest

from bench.devices import device, extensions
from bench.devices.launched import Launched
from bench.errors import UserError


@pytest.fixture
def lock(tmp_path, monkeypatch):
    """Of a part that a process compiles."""
    monkeypatch.setenv("TORCH_EXTENSIONS_DIR", str(tmp_path))
    path = tmp_path / "deepspeed_shm_comm" / "lock"
    path.parent.mkdir()
    path.touch()
    return path


def grown_old(path):
    then = time.time() - extensions.COMPILED_AFTER - 1
    os.utime(path, (then, then))


def test_who_compiles_is_waited_for_and_who_is_gone_is_told(lock):
    extensions.check_no_abandoned_lock()
    grown_old(lock)
    with pytest.raises(UserError, match=r"shm_comm/lock is 10 minutes old: .* delete the file"):
        extensions.check_no_abandoned_lock()
    lock.unlink()
    extensions.check_no_abandoned_lock()


def test_it_is_looked_for_before_deepspeed_waits(lock, monkeypatch):
    grown_old(lock)
    monkeypatch.setattr(Launched, "check", lambda *_: None)
    monkeypatch.setattr(device, "Accelerator", lambda **_: pytest.fail("it would wait"))
    for name, value in {"ACCELERATE_USE_DEEPSPEED": "true", "ACCELERATE_DEEPSPEED_ZERO_STAGE": "1"}.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UserError, match="would wait for it"):
        device.start()
