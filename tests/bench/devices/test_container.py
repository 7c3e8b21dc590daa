"""Limits of a container, as the kernel's files say them in either version."""

import psutil
import pytest

from bench.devices import container, hardware


@pytest.fixture
def limits(tmp_path, monkeypatch):
    """Writes files of limits."""
    monkeypatch.setattr(container, "CGROUP", tmp_path)

    def written(**files):
        for name, text in files.items():
            path = tmp_path / name.replace("__", "/").replace("_DOT_", ".")
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)

    return written


def test_without_limits_the_machine_is_what_there_is(limits):
    assert container.cpu_limit() is container.memory_limit() is None
    assert container.total_memory() == psutil.virtual_memory().total and container.available_memory() > 0
    limits(cpu_DOT_max="max 100000\n", memory_DOT_max="max\n")
    assert container.cpu_limit() is container.memory_limit() is None


def test_version_2(limits, monkeypatch):
    limits(cpu_DOT_max="150000 100000\n", memory_DOT_max=f"{10**8}\n", memory_DOT_current=f"{9 * 10**7}\n")
    limits(memory_DOT_stat=f"anon 3\ninactive_file {2 * 10**7}\n")
    assert (container.cpu_limit(), container.memory_limit(), container.total_memory()) == (1.5, 10**8, 10**8)
    assert container.available_memory() == 3 * 10**7
    monkeypatch.delenv(hardware.CORES, raising=False)
    monkeypatch.setattr(hardware.os, "sched_getaffinity", lambda _: set(range(64)))
    assert hardware.cores() == 2
    limits(cpu_DOT_max="20000 100000\n")
    assert hardware.cores() == 1


def test_version_1(limits):
    limits(cpu__cpu_DOT_cfs_quota_us="400000\n", cpu__cpu_DOT_cfs_period_us="100000\n")
    limits(memory__memory_DOT_limit_in_bytes=f"{10**8}\n", memory__memory_DOT_usage_in_bytes="0\n")
    assert (container.cpu_limit(), container.memory_limit(), container.available_memory()) == (4.0, 10**8, 10**8)
    limits(cpu__cpu_DOT_cfs_quota_us="-1\n", memory__memory_DOT_limit_in_bytes="9223372036854771712\n")
    assert container.cpu_limit() is container.memory_limit() is None
