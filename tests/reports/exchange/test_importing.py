"""A folder of files: the good go in, the bad are named, and a second time nothing changes."""

import json

import pytest

from bench.errors import UserError
from bench.records import store
from reports.exchange.importing import files_in, import_files
from reports.exchange.peft_results import read_peft_result


def read(path):
    yield read_peft_result(path), None


def test_the_good_go_in_and_the_bad_are_named(peft_file, tmp_path):
    paths = [peft_file(), peft_file("bad.json", train_info=3), peft_file("other.json", train_info__train_time=2.0)]
    found = import_files(paths, read, tmp_path / "out")
    assert found.summary == "2 records imported, 1 file left out"
    assert found.faults == ["bad.json: train_info: 3 is not an object"]
    assert {record.run_id for record in store.read_all(tmp_path / "out")} == {record.run_id for record in found.added}


def test_a_second_time_changes_nothing(peft_file, tmp_path):
    out, paths = tmp_path / "out", [peft_file()]
    import_files(paths, read, out)
    before = {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in store.folder(out).iterdir()}
    assert import_files(paths, read, out).summary == "0 records imported, 1 record there already"
    assert {path: (path.read_bytes(), path.stat().st_mtime_ns) for path in store.folder(out).iterdir()} == before


def test_a_record_of_an_import_is_read_as_it_was_written(peft_file, tmp_path):
    (record,) = import_files([peft_file()], read, tmp_path / "out").added
    assert store.read_all(tmp_path / "out") == [record]
    raw = json.loads((store.folder(tmp_path / "out") / f"{record.run_id}.json").read_text())
    assert raw["cost"]["train_flops"] is None and raw["provenance"]["source"]["whose"] == "peft-method-comparison"


def test_files_of_a_folder(tmp_path):
    (tmp_path / "deep").mkdir()
    for name in ("b.json", "a.json", "c.txt", "deep/d.json"):
        (tmp_path / name).write_text("")
    assert [path.name for path in files_in(tmp_path, "*.json", "it")] == ["a.json", "b.json"]
    assert [path.name for path in files_in(tmp_path, "*.json", "it", deep=True)] == ["a.json", "b.json", "d.json"]
    assert files_in(tmp_path / "c.txt", "*.json", "it") == [tmp_path / "c.txt"]
    with pytest.raises(UserError, match="there is no .*nowhere; name it"):
        files_in(tmp_path / "nowhere", "*.json", "it")
    with pytest.raises(UserError, match=r"no \*.jsonl in"):
        files_in(tmp_path, "*.jsonl", "it")
