"""More than 200 inputs of which each has one thing wrong: each ends in its own sentence and status 2 before anything runs, and
leaves nothing behind.

malformed_inputs.yaml holds them: `changes` to the files of a suite that is right (a whole text, or a part of it and what stands
there instead), `options` of `tunebench run`, and how the sentence begins. What the fuzz test finds becomes an entry there.
"""

from pathlib import Path

import pytest
import yaml
from malformed import ROWS, SUITE, TASK

from bench import cli, suite_run

TABLE = {
    case.pop("name"): case
    for case in yaml.safe_load((Path(__file__).parent / "malformed_inputs.yaml").read_text(encoding="utf-8"))
}
RIGHT = {"suite.yaml": SUITE.lstrip(), "tasks/own.yaml": TASK.lstrip() % "../rows.csv", "rows.csv": ROWS}


def write(folder: Path, changes: dict[str, str | list[str]]) -> None:
    for name, change in (RIGHT | changes).items():
        text = change
        if isinstance(change, list):
            old, new = change
            assert RIGHT[name].count(old) == 1, f"'{old}' stands not once in {name}"
            text = RIGHT[name].replace(old, new)
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text, encoding="utf-8", newline="")


def told(folder: Path, options: list[str], capsys) -> tuple[int, str]:
    """The exit status and what is said, without the folder's own path."""
    given = {"--suite": str(folder / "suite.yaml"), "--budget": "16", "--out": str(folder / "out")}
    standard = [word for name, value in given.items() if name not in options for word in (name, value)]
    with pytest.raises(SystemExit) as leaving:
        cli.main(["run", *standard, *options])
    return leaving.value.code, capsys.readouterr().err.replace(str(folder), "").strip()


@pytest.fixture(autouse=True)
def nothing_runs(monkeypatch, tmp_path):
    monkeypatch.setattr(suite_run, "_records_once_done", lambda *_: pytest.fail("it was accepted"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.chdir(tmp_path)


def test_the_table_is_long_enough():
    assert len(TABLE) >= 200


@pytest.mark.parametrize("name", TABLE)
def test_each_has_its_sentence(name, tmp_path, capsys):
    case = TABLE[name]
    write(tmp_path, case.get("changes", {}))
    before = {path for path in tmp_path.rglob("*") if path.is_file()}
    status, said = told(tmp_path, case.get("options", []), capsys)
    assert status == 2 and said.startswith(f"error: {case['sentence']}"), said
    assert "\n" not in said and "Traceback" not in said and len(said) < 1500
    assert {path for path in tmp_path.rglob("*") if path.is_file()} == before
