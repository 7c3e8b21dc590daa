"""The harness' files are found by their dates and by what they hold."""

import json

import pytest

from bench.errors import UserError
from reports.exchange.lm_eval_files import results_files, samples_beside
from reports.exchange.lm_eval_results import read_lm_eval

DATE = "2026-05-01T10-00-00.5"


@pytest.mark.parametrize("name", ["results", "mine", "my_own_run"])
def test_samples_are_of_the_date_at_the_end_of_the_name(harness_file, riddle_lines, name):
    """Planted fault: after `--output_path x.json` no answers were found."""
    path = harness_file({"riddles": riddle_lines()}, name=f"{name}_{DATE}.json")
    assert samples_beside(path, "riddles") == path.with_name(f"samples_riddles_{DATE}.jsonl")
    items = {record.setup.task: items for record, items in read_lm_eval(path)}
    assert len(items["riddles"]) == 4


def test_a_file_without_a_date_has_samples_of_its_name(tmp_path):
    assert samples_beside(tmp_path / "results_mine.json", "sums").name == "samples_sums_mine.jsonl"


def test_results_of_any_name_are_found_in_folders_and_nothing_else_is(harness_file, tmp_path):
    named = [harness_file(name=f"{name}_{DATE}.json") for name in ("results", "mine")]
    for other, content in ((f"x_{DATE}.json", "{"), (f"y_{DATE}.json", '{"results": {}}'), (f"z_{DATE}.json", "[]")):
        named[0].with_name(other).write_text(content)
    (named[0].parent / "settings.json").write_text(json.dumps({"results": 1}))
    assert results_files(tmp_path) == sorted(named)
    assert results_files(named[1]) == [named[1]]


def test_a_damaged_file_of_the_harness_own_name_is_told_of(tmp_path):
    path = tmp_path / f"results_{DATE}.json"
    path.write_text("{")
    assert results_files(tmp_path) == [path]


def test_a_folder_without_results_is_the_users_error(tmp_path):
    with pytest.raises(UserError, match=r"no \*.json in"):
        results_files(tmp_path)
    (tmp_path / "other.json").write_text("{}")
    with pytest.raises(UserError, match=r"no results_\*.json in .*; name the folder, or the file, that --output_path named"):
        results_files(tmp_path)
