"""States in files without a name: what is kept, what goes, and what a full disk does."""

from types import SimpleNamespace

import pytest
import torch

from bench import folders
from bench.modeling.replay.activations import LIMIT, Activations, Shelf, States, kept_states

NAMES = [bytes([number]) * 16 for number in range(9)]


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEBENCH_CACHE", str(tmp_path / "cache"))


def states(number, length=4, dtype=torch.float32):
    return States(torch.full((length, 8), number, dtype=dtype), seconds=float(number))


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_what_is_read_is_what_was_written_bit_by_bit(dtype):
    kept, generator = Activations(10_000), torch.Generator().manual_seed(0)
    written = {name: torch.randn(5 + i, 8, generator=generator).to(dtype) for i, name in enumerate(NAMES)}
    for name, values in written.items():
        kept.write("a", name, States(values, 0.5))
    for name, values in written.items():
        found = kept.read("a", name)
        assert torch.equal(found.values, values) and found.values.dtype == dtype and found.seconds == 0.5
    assert kept.read("b", NAMES[0]) is None and kept.read("a", b"another") is None


def test_files_are_in_the_cache_and_have_no_name():
    Activations(10_000).write("a", NAMES[0], states(1))
    assert list(folders.cache().iterdir()) == []


def test_a_text_is_kept_once():
    kept = Activations(10_000)
    for number in (1, 2):
        kept.write("a", NAMES[0], states(number))
    assert kept.bytes_kept == 4 * 8 * 4 and kept.read("a", NAMES[0]).seconds == 1.0


def test_the_bound_holds_and_what_was_not_used_for_longest_goes():
    kept = Activations(5 * 128)
    for key in "ab":
        for name in NAMES[:2]:
            kept.write(key, name, states(1))
    kept.write("a", NAMES[2], states(1))  # the last that there is room for, and `a` is used later than `b`
    kept.write("c", NAMES[0], states(1))
    assert kept.read("b", NAMES[0]) is None and kept.read("a", NAMES[0]) and kept.read("c", NAMES[0])
    for name in NAMES:
        kept.write("c", name, states(1))
    assert kept.bytes_kept == 5 * 128 and kept.read("a", NAMES[0]) is None
    # Of its own kind nothing goes: what there is no room for is computed again.
    assert [name for name in NAMES if kept.read("c", name)] == NAMES[:5]


def test_what_is_read_is_used():
    """By a second seed all states of its kind are read, and none is written."""
    kept = Activations(2 * 128)
    for key in "ab":
        kept.write(key, NAMES[0], states(1))
    assert kept.read("a", NAMES[0])
    kept.write("c", NAMES[0], states(1))
    assert kept.read("a", NAMES[0]) and kept.read("b", NAMES[0]) is None


def test_states_that_are_larger_than_the_bound_push_nothing_out():
    kept = Activations(200)
    kept.write("a", NAMES[0], states(1))
    kept.write("b", NAMES[0], states(1, length=100))
    assert kept.read("a", NAMES[0]) and kept.read("b", NAMES[0]) is None


def test_a_full_disk_ends_the_keeping_and_not_the_run(monkeypatch):
    kept, own = Activations(10_000), Shelf.write
    kept.write("a", NAMES[0], states(1))

    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Shelf, "write", full)
    kept.write("a", NAMES[1], states(1))
    assert kept.bytes_kept == 0 and kept.read("a", NAMES[0]) is None
    monkeypatch.setattr(Shelf, "write", own)
    kept.write("a", NAMES[1], states(1))
    assert kept.bytes_kept == 0


def test_what_is_cut_off_counts_as_never_written():
    kept = Activations(10_000)
    for name in NAMES[:2]:
        kept.write("a", name, states(1))
    kept._shelves["a"]._file.truncate(200)
    assert kept.read("a", NAMES[0]) and kept.read("a", NAMES[1]) is None and kept.read("a", NAMES[1]) is None


def test_the_processes_own_takes_no_more_than_half_of_what_is_free(monkeypatch):
    kept_states.cache_clear()
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1000))
    assert kept_states()._limit == 500 < LIMIT and kept_states() is kept_states()
    kept_states.cache_clear()
