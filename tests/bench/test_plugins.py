"""The class of a kind is found by its file's name, and nothing is listed anywhere."""

import importlib
import sys

import pytest

from bench import plugins
from bench.errors import UserError


@pytest.fixture
def package(tmp_path, monkeypatch):
    """Kinds `plain` and `two-words`, and a helper."""
    folder = tmp_path / "kinds_for_a_test"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "base.py").write_text("class Base: ...\n")
    (folder / "plain.py").write_text("from kinds_for_a_test.base import Base\nclass Plain(Base): ...\nclass Helper: ...\n")
    (folder / "two_words.py").write_text("from kinds_for_a_test.plain import Plain\nclass TwoWords(Plain): ...\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield importlib.import_module("kinds_for_a_test")
    for name in [name for name in sys.modules if name.startswith("kinds_for_a_test")]:
        del sys.modules[name]


def test_a_file_is_a_kind_and_its_own_class_is_found(package):
    base = importlib.import_module("kinds_for_a_test.base").Base
    assert plugins.kinds(package) == ["plain", "two-words"]
    assert plugins.load_class(package, "plain", base, "kind").__name__ == "Plain"
    for written in ("two-words", "two_words"):  # not Plain, which that module imports
        assert plugins.load_class(package, written, base, "kind").__name__ == "TwoWords"


@pytest.mark.parametrize("name", ["base", "plian", "os"])
def test_no_other_module_is_a_kind(package, name):
    with pytest.raises(UserError, match=f"unknown kind of thing '{name}'"):
        plugins.load_class(package, name, object, "kind of thing")
