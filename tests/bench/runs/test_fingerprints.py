"""What counts of a task and of a probe, and what does not."""

import pytest

from bench.runs.fingerprints import probe_fingerprint, task_fingerprint
from bench.specs.source import Source
from bench.tasks import types
from bench.tasks.types.dialogue import Dialogue


@pytest.fixture
def task(library, tmp_path):
    """SST-2, trained on a file of the user's."""

    def made(name="a.csv", content="t,l\nx,positive\n", **fields):
        (tmp_path / name).write_text(content)
        source = Source(path=str(tmp_path / name), columns={"text": "t", "label": "l"})
        return library.task("sst2").model_copy(update={"train": source} | fields)

    return made


def test_words_for_people_and_places_do_not_count(task):
    first = task_fingerprint(task())
    assert task_fingerprint(task(description="in other words")) == first
    assert task_fingerprint(task("b.csv")) == first


def test_what_is_asked_and_the_content_of_data_count(task):
    first = task_fingerprint(task())
    changed = [
        task("c.csv", "t,l\nx,negative\n"),
        task(version=2),
        task(labels=["negative", "positive", "neutral"]),
        task(out_of_domain={"away": task().train}),
    ]
    found = [task_fingerprint(each) for each in changed]
    assert all(each != first for each in found)
    assert found[3]["out_of_domain"] == {"away": first["train"]}


def test_a_list_of_sources_counts_each(task):
    one, other = task().train, task("d.csv", "t,l\ny,negative\n").train
    found = task_fingerprint(task(train=[one, other]))["train"]
    assert len(found) == 2 and found[0] != found[1] and task_fingerprint(task(train=[other, one]))["train"] == found[::-1]


def test_a_probe_counts_by_its_data_and_not_by_its_items(library):
    """How many items are asked stands in the run's own question."""
    probe = library.probe("mrpc")
    first = probe_fingerprint(probe)
    assert probe_fingerprint(probe.model_copy(update={"items": 3, "description": "in other words"})) == first
    assert probe_fingerprint(probe.model_copy(update={"version": 99})) != first
    assert probe_fingerprint(probe.model_copy(update={"source": library.probe("wikipedia").source})) != first


def test_clusters_count_where_a_probe_has_them(library):
    """A probe without clusters keeps the fingerprint, and its runs the ids, that they had before there were any."""
    probe = library.probe("mrpc")
    assert "cluster" not in probe_fingerprint(probe)
    assert probe_fingerprint(probe.model_copy(update={"cluster": "gold"}))["cluster"] == "gold"


def test_each_part_of_a_probes_source_counts(library):
    probe = library.probe("health-subjects")
    parts = probe_fingerprint(probe)["source"]
    assert len(parts) == 4 and len({str(part) for part in parts}) == 4
    assert probe_fingerprint(probe.model_copy(update={"source": probe.source[:3]}))["source"] == parts[:3]


def test_a_type_that_counts_otherwise_makes_other_runs_of_its_tasks_alone(library, monkeypatch):
    chat, other = library.task("coqa-chat"), library.task("sst2")
    before, kept = task_fingerprint(chat), task_fingerprint(other)
    monkeypatch.setattr(Dialogue, "version", Dialogue.version + 1)
    assert task_fingerprint(chat.model_copy()) != before and task_fingerprint(other.model_copy()) == kept
    assert "type_version" not in kept  # whose runs stay what they are


def test_a_second_version_of_a_type_counts(task, monkeypatch):
    first = task_fingerprint(task())
    assert "type_version" not in first
    monkeypatch.setattr(types.type_class(task()), "version", 2)
    assert task_fingerprint(task()) == first | {"type_version": 2}
