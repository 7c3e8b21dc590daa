"""A results folder to audit."""

import shutil
from pathlib import Path

import pytest
from audited import METRICS, scored

from bench.records import store


@pytest.fixture(scope="session")
def results(tmp_path_factory) -> Path:
    """A folder with a record of each task, one of them under two seeds."""
    out = tmp_path_factory.mktemp("results")
    for task in METRICS:
        store.write_record(out, *scored(task))
    store.write_record(out, *scored("sst2", seed=50))
    return out


@pytest.fixture
def out(results, tmp_path):
    return shutil.copytree(results, tmp_path / "copy")


@pytest.fixture
def ranked(out):
    """The folder with rows of two strategies, two seeds each, on one task."""
    for seed in (7, 8):
        record, items = scored(seed=seed)
        setup = record.setup.model_copy(update={"strategy": "frozen"})
        store.write_record(out, record.model_copy(update={"setup": setup, "run_id": f"frozen{seed}"}), items)
    return out
