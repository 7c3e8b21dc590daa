"""Records on disk: what is written is read, and what is no record is named."""

import gc
import json
import os

import disks
import pandas as pd
import pytest

from bench import folders
from bench.errors import UnwritableError, UserError
from bench.records import store
from bench.records.outcome import Gain, Outcome, Score
from bench.records.record import Provenance, Record, Setup

SCORE = Score(name="accuracy", value=0.5, ci_low=0.4, ci_high=0.6, n=10)
SETUP = Setup(suite="s", model="m", task="t", strategy="full", hyperparameters={}, seed=0, budget="1examples")


def record(**changes):
    fields = {"run_id": "abc", "status": "ok", "setup": SETUP, "outcome": Outcome(score=SCORE)}
    return Record(**(fields | {"provenance": Provenance(versions={}, device={})} | changes))


def test_what_is_written_is_read(tmp_path):
    items = pd.DataFrame({"kind": ["task"], "value": [1.0]})
    store.write_record(tmp_path, record(), items)
    assert store.read_all(tmp_path) == [record()]
    assert store.read_items(tmp_path, record()).equals(items)
    assert sorted(path.name for path in store.folder(tmp_path).iterdir()) == ["abc.json", "abc.parquet"]


def test_a_text_is_cut_to_so_many_characters():
    assert store.cut("abc", 3) == "abc" and store.cut("abcd", 3) == "ab…"


def test_a_number_that_is_none_is_refused_before_it_is_written():
    with pytest.raises(ValueError, match="finite"):
        record(outcome=Outcome(score=SCORE, gain=Gain(value=float("nan"))))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "{}",
        "[1]",
        "3",
        "[" * 100_000,
        '{"schema_version": 2}',
        '{"schema_version": 1}',
        '{"schema_version": 1, "forgetting": 3}',
    ],
)
def test_what_is_no_record_is_named(tmp_path, content):
    path = store.folder(tmp_path) / "x.json"
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(UserError, match=r"x\.json: not a tunebench record"):
        store.read_all(tmp_path)


def test_a_record_under_another_runs_name_is_named(tmp_path):
    path = store.write_record(tmp_path, record())
    other = path.rename(path.with_name("other.json"))
    for read in (lambda: store.read_all(tmp_path), lambda: store.find_record(tmp_path, "other")):
        with pytest.raises(UserError, match=r"other\.json: holds the record of another run; name it abc\.json, or delete it"):
            read()
    other.rename(path)
    assert store.read_all(tmp_path) == [record()]


def test_a_record_is_read_once_until_one_of_its_files_changes(tmp_path, monkeypatch):
    read, original = [], store.read_record
    monkeypatch.setattr(store, "read_record", lambda path: read.append(path.name) or original(path))
    path = store.write_record(tmp_path, record(), pd.DataFrame({"kind": ["task"], "value": [1.0]}))
    for _ in range(2):
        assert store.read_all(tmp_path) == [store.find_record(tmp_path, "abc")] == [record()]
    assert read == ["abc.json"]
    changed = record(reason="again")
    store.write_record(tmp_path, changed)
    assert store.read_all(tmp_path) == [changed] and len(read) == 2
    path.with_suffix(".parquet").write_bytes(b"PAR")
    for _ in range(2):  # what is damaged is told each time
        with pytest.raises(UserError, match="are damaged"):
            store.read_all(tmp_path)


@pytest.mark.parametrize("left", [0, 3, 100, -1])
def test_answers_that_are_cut_off_are_told_with_the_record(tmp_path, left):
    path = store.write_record(tmp_path, record(), pd.DataFrame({"kind": ["task"], "value": [1.0]}))
    answers = path.with_suffix(".parquet")
    answers.write_bytes(answers.read_bytes()[:left])
    told = r"abc\.parquet: the answers of a run are damaged; delete abc\.json beside it, and the run is done again"
    for read in (lambda: store.read_all(tmp_path), lambda: store.read_items(tmp_path, record())):
        with pytest.raises(UserError, match=told):
            read()


def test_answers_with_a_changed_bit_are_told_when_they_are_read(tmp_path):
    path = store.write_record(tmp_path, record(), pd.DataFrame({"kind": ["task"], "value": [1.0]}))
    answers = path.with_suffix(".parquet")
    whole = answers.read_bytes()
    footer = int.from_bytes(whole[-8:-4], "little")  # which has no checksum
    for place in range(4, len(whole) - 8 - footer, 3):
        answers.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1 :])
        try:
            assert store.read_items(tmp_path, record())["value"].tolist() == [1.0]  # what holds no value may change
        except UserError as error:
            assert "are damaged" in str(error)


def test_unknown_fields_are_refused(tmp_path):
    path = store.write_record(tmp_path, record())
    path.write_text(json.dumps(json.loads(path.read_text()) | {"extra": 1}))
    with pytest.raises(UserError, match="extra"):
        store.read_record(path)


def test_record_of_a_newer_tunebench_says_to_update(tmp_path):
    path = store.write_record(tmp_path, record())
    path.write_text(json.dumps(json.loads(path.read_text()) | {"schema_version": 3, "extra": 1}))
    with pytest.raises(UserError, match=r"abc\.json: it has schema 3, .* up to 2; update tunebench"):
        store.read_all(tmp_path)


def test_records_are_found_by_run_and_by_suite(tmp_path):
    other = record(run_id="b", setup=SETUP.model_copy(update={"suite": "other"}))
    for each in (record(), other):
        store.write_record(tmp_path, each)
    assert store.find_record(tmp_path, "b") == other and store.find_record(tmp_path, "c") is None
    found = store.read_all(tmp_path)
    assert list(store.of_suite(found, "other")) == [other] and list(store.of_suite(found, None)) == found
    assert store.read_items(tmp_path, other).empty


def test_a_write_that_fails_leaves_the_old_file_and_no_rest(tmp_path):
    path = tmp_path / "a.txt"
    folders.write_text(path, "old")
    with pytest.raises(RuntimeError), folders.writing(path) as temporary:
        temporary.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert [p.name for p in tmp_path.iterdir()] == ["a.txt"]


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match=r"cannot write .*file"):
        folders.check_writable(tmp_path / "file")
    with pytest.raises(UserError, match="cannot write /proc/nothing"):
        folders.check_writable(folders.Path("/proc/nothing"))


def test_a_full_disk_is_named(tmp_path, monkeypatch):
    def full(self, text, encoding=None):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(folders.Path, "write_text", full)
    with pytest.raises(UserError, match="No space left on device; free some space"):
        folders.write_text(tmp_path / "a.txt", "x")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("value", "kind", "text"),
    [
        ("[1]", str, "[1]"),
        (["Äpfel", "O"], list[str], '["Äpfel", "O"]'),
        ([0.1, 3.0], list[float], "[0.1, 3.0]"),
        (1.0, float, "1.0"),
    ],
)
def test_answers_are_kept_as_text(value, kind, text: str):
    assert store.as_text(value) == text and store.as_value(text, kind) == value


@pytest.mark.parametrize("place", [1, 2])
def test_a_record_never_stands_without_its_items_nor_beside_anothers(tmp_path, monkeypatch, place):
    """Killed before either is in place, both are the old ones; between the two, the record is still the old one."""
    store.write_record(tmp_path, record(), pd.DataFrame({"item": ["old"]}))
    replace, moved = os.replace, []

    def killed(old, new):
        moved.append(new.suffix)
        if len(moved) == place:
            raise KeyboardInterrupt
        replace(old, new)

    monkeypatch.setattr(os, "replace", killed)
    with pytest.raises(KeyboardInterrupt):
        store.write_record(tmp_path, record(reason="new"), pd.DataFrame({"item": ["new"]}))
    assert moved == [".parquet", ".json"][:place] and store.find_record(tmp_path, "abc").reason != "new"


def test_a_record_that_is_not_written_changes_no_items(tmp_path):
    store.write_record(tmp_path, record(), pd.DataFrame({"item": ["old"]}))
    with disks.full(10_000), pytest.raises(UnwritableError, match="abc.json: File too large"):
        store.write_record(tmp_path, record(reason="long" * 5000), pd.DataFrame({"item": ["new"]}))
    assert store.read_items(tmp_path, record())["item"].tolist() == ["old"]


def test_a_record_without_items_does_not_stand_beside_those_of_an_earlier_attempt(tmp_path):
    store.write_record(tmp_path, record(), pd.DataFrame({"kind": ["task"], "value": [1.0]}))
    failed = record(status="failed", outcome=None)
    store.write_record(tmp_path, failed)
    assert store.read_items(tmp_path, failed).empty
    # Also where a later one has a result, as an imported one that tells no answers.
    store.write_record(tmp_path, record(), pd.DataFrame({"kind": ["task"], "value": [1.0]}))
    store.write_record(tmp_path, record(reason="imported"))
    assert store.read_items(tmp_path, record()).empty
    # Killed after its items were in place and before the record was: they are no failed run's.
    store.write_record(tmp_path, failed)
    pd.DataFrame({"kind": ["task"], "value": [1.0]}).to_parquet(store.folder(tmp_path) / "abc.parquet")
    assert store.read_items(tmp_path, failed).empty


def test_the_collector_rests_while_records_are_read_and_goes_on_after_a_fault(tmp_path):
    store.write_record(tmp_path, record())
    seen = []

    def paths():
        seen.append(gc.isenabled())
        yield store.folder(tmp_path) / "abc.json"
        yield tmp_path / "none.json"

    with pytest.raises(UserError, match="not a tunebench record"):
        store.stored_records(paths())
    assert seen == [False] and gc.isenabled()
