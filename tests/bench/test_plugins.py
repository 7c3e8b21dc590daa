"""Classes found by their files' names, in a package made here."""

import importlib
import sys

import pytest

from bench import plugins
from bench.errors import UserError


class Animal:
    pass


@pytest.fixture
def package(tmp_path, monkeypatch):
    folder = tmp_path / "zoo_of_the_test"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    (folder / "base.py").write_text("")
    (folder / "sea_lion.py").write_text("class Helper:\n    pass\n")
    (folder / "dog.py").write_text("class Helper:\n    pass\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    module = importlib.import_module(folder.name)
    for name in ("sea_lion", "dog"):
        kind = importlib.import_module(f"{folder.name}.{name}")
        kind.Animal = Animal  # imported there, not defined
        kind.Kind = type("Kind", (Animal,), {"__module__": kind.__name__})
    yield module
    for name in [name for name in sys.modules if name.startswith(folder.name)]:
        del sys.modules[name]


def test_kinds_are_files_and_helpers_are_none(package):
    assert plugins.names(package) == ["dog", "sea-lion"]


@pytest.mark.parametrize("name", ["sea-lion", "sea_lion"])
def test_the_class_is_the_one_that_its_file_defines(package, name):
    found = plugins.load(package, name, Animal, "animal")
    assert issubclass(found, Animal) and found is not Animal and found.__module__.endswith("sea_lion")


@pytest.mark.parametrize("name", ["dig", "base", "../dog", "zoo.dog"])
def test_what_is_no_kind_is_told_with_what_there_is(package, name):
    with pytest.raises(UserError, match=f"unknown animal '{name}'; (did you mean|known:) "):
        plugins.load(package, name, Animal, "animal")
