"""Which runs are done already, and what a person is told of those from another environment."""

import pytest

from bench.records.record import Provenance, Record, Setup
from bench.runs.finished import is_finished, kept_from_elsewhere

HERE = {"torch": "2.9.1", "device": "cpu"}
OLDER = {"torch": "2.8.0", "device": "cpu"}
UNKNOWN: dict[str, str] = {}


def record(environment, status="ok"):
    setup = Setup(suite="s", model="m", task="t", strategy="full", hyperparameters={}, seed=0, budget="1examples")
    provenance = Provenance(versions={}, device={}, environment=environment)
    return Record.model_construct(run_id="0" * 16, status=status, setup=setup, provenance=provenance)


@pytest.mark.parametrize(
    ("status", "environment", "rerun_on_change", "finished"),
    [
        ("ok", HERE, False, True),
        ("ok", HERE, True, True),
        ("ok", OLDER, False, True),
        ("ok", OLDER, True, False),
        ("ok", UNKNOWN, False, True),
        ("ok", UNKNOWN, True, False),
        ("skipped", HERE, False, True),
        ("skipped", OLDER, True, True),
        ("skipped", UNKNOWN, False, True),
        ("skipped", HERE | {"device": "cuda"}, False, False),  # what did not fit there may fit here
        ("failed", HERE, False, False),
        ("failed", OLDER, True, False),
    ],
)
def test_a_run_is_done_again_where_it_failed_or_where_a_change_is_to_be_seen(status, environment, rerun_on_change, finished):
    assert is_finished(record(environment, status), HERE, rerun_on_change) is finished


def test_a_run_without_a_record_is_not_finished():
    assert not is_finished(None, HERE, False) and not is_finished(None, HERE, True)


def test_kept_runs_are_told_with_what_differs():
    assert kept_from_elsewhere([record(HERE), record(HERE), record(OLDER, "skipped")], HERE) is None
    one = kept_from_elsewhere([record(HERE), record(OLDER)], HERE)
    assert one == "1 finished run is kept from another environment (torch 2.8.0 -> 2.9.1); --rerun-on-change does them again"
    several = kept_from_elsewhere(map(record, [OLDER, OLDER, OLDER | {"device": "cuda"}, UNKNOWN]), HERE)
    assert several.startswith("4 finished runs are kept from another environment (torch 2.8.0 -> 2.9.1, device cuda -> cpu, an")
