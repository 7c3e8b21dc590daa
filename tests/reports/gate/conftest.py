"""A folder of results, and a changed one beside it."""

from types import SimpleNamespace

import pytest

TRAINED = ("full", "frozen")


@pytest.fixture
def sides(make, tmp_path):
    """Writes two folders: `old` with two strategies and an untouched model, and `new` of pairs that the test changes."""

    def pairs(seeds=(0, 1, 2), full=0.85, **changes):
        inputs = {"task": {"name": "sst2", "version": 1}, "probes": [[{"name": "wikipedia", "version": 1}, 64]]}
        inputs |= changes.pop("inputs", {})
        found = [
            make.record(name, seed, accuracy + 0.005 * (seed % 3), inputs=inputs, **changes)
            for name, accuracy in (("full", full), ("frozen", 0.8))
            for seed in seeds
        ]
        return [*found, make.record("zero-shot", 0, 0.55, trainable=0, inputs=inputs, **changes)]

    def kept(name, found):
        make.kept(tmp_path / name, found)
        return tmp_path / name

    return SimpleNamespace(pairs=pairs, kept=kept, path=tmp_path, make=make)


@pytest.fixture
def held(sides):
    """The comparison of two lists of pairs."""
    from reports.gate.compared import compared
    from reports.gate.reading import read_sides
    from reports.gate.tolerance import Tolerance

    def compare(new, old, within=None, **options):
        folders = sides.kept("new", new), sides.kept("old", old)
        return compared(*read_sides(*folders, None), within or Tolerance(), **options)

    return compare
