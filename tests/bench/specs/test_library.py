from pathlib import Path

import pytest

from bench.errors import UserError
from bench.specs.library import BUILT_IN, Library, suites_for


def test_every_built_in_file_is_valid_and_named_as_its_file(library):
    for kind, load in (("tasks", library.task), ("probes", library.probe), ("strategies", library.strategy)):
        for name in library.names(kind):
            assert load(name).name == name
    for name in library.names(""):
        assert library.suite(name).name == name
    assert {"smollm2", "minilm", "tiny-bert", "opt-6.7b"} <= set(library.models())


@pytest.mark.parametrize(
    ("kind", "name", "sentence"),
    [
        ("suite", "sentimnt", "unknown suite 'sentimnt'; did you mean sentiment"),
        ("task", "sst", "unknown task 'sst'; did you mean sst2"),
        ("probe", "lambda", "unknown probe 'lambda'; did you mean lambada?"),
        ("strategy", "lora8bit", "unknown strategy 'lora8bit'; did you mean lora-8bit or lora-32bit?"),
        ("strategy", "zzz", "unknown strategy 'zzz'; known: few-shot, frozen, full"),
        ("task", "../sst2", "unknown task '../sst2'"),
        ("suite", "no/such.yaml", "suite file 'no/such.yaml' does not exist"),
    ],
)
def test_unknown_names_come_with_the_nearest(library, kind, name, sentence):
    with pytest.raises(UserError) as caught:
        getattr(library, kind)(name)
    assert sentence in str(caught.value)


GOOD = (BUILT_IN / "tasks" / "sst2.yaml").read_text()


def test_a_users_suite_finds_its_own_tasks_first(tmp_path: Path):
    (tmp_path / "tasks").mkdir()
    (tmp_path / "tasks" / "sst2.yaml").write_text(GOOD.replace("version: 1", "version: 7"))
    (tmp_path / "mine.yaml").write_text((BUILT_IN / "sentiment.yaml").read_text().replace("name: sentiment", "name: mine"))
    ((library, suite),) = suites_for(str(tmp_path / "mine.yaml"))
    assert suite.name == "mine"
    assert library.task("sst2").version == 7
    assert library.task("rte").version == Library().task("rte").version


LIST = """name: several
version: 1
description: one after another
suites: [%s]
"""


def test_a_list_of_suites_gives_each_its_own_library(tmp_path: Path):
    for folder in ("here", "there"):
        (tmp_path / folder / "tasks").mkdir(parents=True)
        text = (BUILT_IN / "sentiment.yaml").read_text().replace("name: sentiment", f"name: {folder}")
        (tmp_path / folder / f"{folder}.yaml").write_text(text)
        (tmp_path / folder / "tasks" / "sst2.yaml").write_text(GOOD.replace("version: 1", f"version: {len(folder)}"))
    (tmp_path / "here" / "several.yaml").write_text(LIST % f"here, sentiment, {tmp_path}/there/there.yaml")
    found = suites_for(str(tmp_path / "here" / "several.yaml"))
    assert [suite.name for _, suite in found] == ["here", "sentiment", "there"]
    # The built-in suite keeps to the built-in task: what it measures does not depend on who lists it.
    assert [library.task("sst2").version for library, _ in found] == [4, Library().task("sst2").version, 5]
