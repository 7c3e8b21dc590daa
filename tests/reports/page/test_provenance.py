"""Where the numbers come from, each fact said once."""

from bench import ENGINE_VERSION
from reports.page import provenance
from reports.rows.rows import aggregate


def test_equal_facts_are_said_once(make):
    found = provenance.gather(aggregate([record for record, _ in make.suite(2)]))
    assert len(found.versions) == len(found.devices) == len(found.models) == len(found.data) == 1
    assert found.versions[0].runs == 13 and found.engines == [ENGINE_VERSION]
    assert found.data[0].counts["repeated removed"] == "57"


def test_facts_that_differ_are_counted(make):
    other = make.record("frozen", versions={"torch": "2.14.0"})[0]
    found = provenance.gather(aggregate([make.record("full", 0)[0], make.record("full", 1)[0], other]))
    assert [(setup.runs, setup.facts["torch"]) for setup in found.versions] == [(2, "2.13.0"), (1, "2.14.0")]


def test_records_without_provenance(make):
    found = provenance.gather(aggregate([make.failed()]))
    assert found.models == found.data == found.engines == []
