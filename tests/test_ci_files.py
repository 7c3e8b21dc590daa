"""The ready workflow files fit the published schemas, and call tunebench as it can be called."""

import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer
import yaml

from bench.cli import app

ROOT = Path(__file__).parents[1]
FILES = {"github": "vendor.github-workflows", "gitlab": "vendor.gitlab-ci"}


def checked(path: Path, schema: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(path)]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.mark.parametrize("name", FILES)
def test_they_fit_the_published_schema(name, tmp_path):
    path = ROOT / "launch" / "ci" / f"{name}.yml"
    done = checked(path, FILES[name])
    assert done.returncode == 0, done.stdout
    # The check finds a fault that is planted.
    broken = tmp_path / "broken.yml"
    broken.write_text(
        path.read_text().replace("timeout-minutes: 90", "timeout-minutes: long").replace("when: always", "when: ever")
    )
    assert checked(broken, FILES[name]).returncode == 1


def commands(text: str) -> list[list[str]]:
    return [line.split() for line in re.findall(r"tunebench ((?:run|compare|baseline) .*)$", text, re.MULTILINE)]


@pytest.mark.parametrize("name", FILES)
def test_the_commands_and_options_exist(name):
    path = ROOT / "launch" / "ci" / f"{name}.yml"
    yaml.safe_load(path.read_text())
    found = commands(path.read_text())
    assert {words[0] for words in found} == {"run", "compare", "baseline"}
    group = typer.main.get_command(app)
    for words in found:
        command = group.commands[words[0]]
        if words[0] == "baseline":
            command, words = command.commands[words[1]], words[1:]
        known = {option for parameter in command.params for option in parameter.opts}
        assert {word for word in words if word.startswith("--")} <= known
