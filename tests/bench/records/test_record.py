"""The shape of a record: the groups that docs and tables name, each with its keys and no other."""

import pytest
from pydantic import ValidationError

from bench.records.record import SEED_PARTS, Cost, Limit, Provenance, Record, Seeds, Setup, Spending, Trust, Tuning

SETUP = {"suite": "s", "model": "m", "task": "t", "strategy": "full", "hyperparameters": {}, "seed": 0, "budget": "1examples"}
ORIGIN = {"versions": {"torch": "2.13.0"}, "device": {"type": "cpu", "processes": 1}}


def test_groups():
    groups = "schema_version run_id status reason setup outcome cost spending trust provenance"
    assert list(Record.model_fields) == groups.split()
    setup = "suite model task strategy hyperparameters seed seeds budget tuning"
    assert list(Setup.model_fields) == setup.split()
    assert list(Trust.model_fields) == ["checks", "contamination", "micro_batch_tokens", "data"]
    assert {"environment", "environment_id", "inputs", "started"} < set(Provenance.model_fields)


def test_record_of_a_run_that_did_not_come_far():
    record = Record(run_id="a", status="skipped", reason="no GPU", setup=SETUP, provenance=ORIGIN)
    assert record.schema_version == 2 and record.outcome is record.cost is None
    assert record.trust == Trust() and record.setup.tuning == Tuning(trials=0)
    assert record.provenance.environment == {} and record.provenance.trust_remote_code is False


@pytest.mark.parametrize("missing", ["setup", "provenance", "run_id", "status"])
def test_what_every_run_has_is_asked_for(missing):
    fields = {"run_id": "a", "status": "ok", "setup": SETUP, "provenance": ORIGIN}
    with pytest.raises(ValidationError, match=missing):
        Record(**{name: value for name, value in fields.items() if name != missing})


def test_no_cost_is_negative():
    counts = dict.fromkeys(Cost.model_fields.keys() - {"peak_memory_per_process"}, 1)
    assert Cost(**counts).probe_seconds == 1
    for name in counts.keys() - {"money"}:
        with pytest.raises(ValidationError, match=name):
            Cost(**counts | {name: -1})


def test_a_memory_that_an_older_record_gives_as_0_is_not_known():
    """A model behind an API would need the least of all."""
    counts = dict.fromkeys(Cost.model_fields.keys() - {"peak_memory_per_process"}, 0)
    cost = Cost(**counts)
    assert (cost.peak_memory_bytes, cost.total_parameters, cost.saved_bytes) == (None, None, 0)


def test_records_are_not_changed():
    record = Record(run_id="a", status="ok", setup=SETUP, provenance=ORIGIN)
    with pytest.raises(ValidationError, match="frozen"):
        record.setup.seed = 3


@pytest.mark.parametrize(
    ("name", "spent", "overran"),
    [
        *[(name, 100, False) for name in ("examples", "steps", "tokens", "flops", "seconds", "memory")],
        *[(name, 101, name != "seconds") for name in ("examples", "steps", "tokens", "flops", "seconds", "memory")],
        ("seconds", 101.9, False),
        ("seconds", 102.1, True),
    ],
)
def test_a_count_may_not_be_passed_and_seconds_by_two_per_cent(name, spent, overran):
    spending = Spending(limits={"tokens": Limit(limit=9, spent=9), name: Limit(limit=100, spent=spent)}, ended_by=name)
    record = Record(run_id="a", status="ok", setup=SETUP, provenance=ORIGIN, spending=spending)
    assert record.overran is overran


def test_what_trained_nothing_overran_nothing():
    assert not Record(run_id="a", status="ok", setup=SETUP, provenance=ORIGIN).overran


def test_the_part_of_a_seed_that_is_not_at_0_is_the_varied_one():
    assert [Seeds(**{part: 3}).varied for part in SEED_PARTS] == ["init", "order", "dropout"]
    assert Seeds().varied is None


@pytest.mark.parametrize(("inputs", "known"), [({"task": {"type": "qa"}}, {"type": "qa"}), ({"task": "sst2"}, {}), ({}, {})])
def test_a_task_is_known_as_far_as_it_was_written_down(inputs, known):
    record = Record(run_id="a", status="ok", setup=SETUP, provenance=ORIGIN | {"inputs": inputs})
    assert record.task_definition == known
