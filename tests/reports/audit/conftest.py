"""A results folder to audit."""

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
