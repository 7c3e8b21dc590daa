"""Where the numbers come from, each fact said once."""

from reports.page import provenance
from reports.rows.rows import aggregate


def test_equal_facts_are_said_once(make):
    found = provenance.gather(aggregate([record for record, _ in make.suite(2)]))
    assert len(found.versions) == len(found.devices) == len(found.models) == len(found.data) == 1
    assert found.versions[0].runs == len(found.runs) == 13 and found.engines == [1]
    assert found.data[0].counts["repeated removed"] == "57"


def test_facts_that_differ_are_counted(make):
    other = make.record("frozen", versions={"torch": "2.14.0"})[0]
    found = provenance.gather(aggregate([make.record("full", 0)[0], make.record("full", 1)[0], other]))
    assert [(setup.runs, setup.facts["torch"]) for setup in found.versions] == [(2, "2.13.0"), (1, "2.14.0")]


def test_row_that_trains_nothing_has_no_budget(make):
    found = provenance.gather(aggregate([make.record("zero-shot", trainable=0)[0], make.record("full")[0]]))
    assert [settings.budget for settings in found.settings] == ["none", "512examples"]
    assert [settings.facts for settings in found.settings] == [{}, {"learning_rate": "2e-05", "warmup": "0.1"}]


def test_records_without_provenance(make):
    found = provenance.gather(aggregate([make.failed()]))
    assert found.models == found.data == found.engines == [] and len(found.runs) == 1


def test_runs_that_were_validated_are_named(make):
    run = make.record("full", validation=[0.7, 0.812])[0]
    found = provenance.gather(aggregate([run, make.record("frozen")[0]]))
    assert list(found.stopped) == [run.run_id] and found.stopped[run.run_id].kept == 1


def test_environments_are_counted_where_they_are_known(make):
    known = [make.record("full", n, environment_id=each)[0] for n, each in enumerate(("a", "b", None))]
    assert provenance.gather(aggregate(known)).environments == 2
    assert provenance.gather(aggregate(known[2:])).environments == 0
