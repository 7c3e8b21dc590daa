"""What several tests of the untouched base ask for: a small session, a cache of their own, and a count of what is loaded."""

import shutil
from dataclasses import replace

import pytest

from bench.modeling.models import Model


@pytest.fixture
def cache(own_cache):
    """A cache in which nothing is kept yet."""
    shutil.rmtree(own_cache / "base", ignore_errors=True)
    return own_cache / "base"


@pytest.fixture(scope="module")
def session(planned, opened):
    found = opened(planned("full"))
    return replace(found, sets=replace(found.sets, validation=replace(found.sets.validation, items=8)))


@pytest.fixture
def rounded(session, planned):
    """The session of a run whose base is in 8 bit."""
    return replace(session, run=planned("lora-8bit"))


@pytest.fixture
def loads(monkeypatch):
    """Bits of each base that is loaded."""
    found, load = [], Model.load

    def counting(self, auto_class, bits=32, *rest, **head):
        found.append(bits)
        return load(self, auto_class, bits, *rest, **head)

    monkeypatch.setattr(Model, "load", counting)
    return found
