"""requirements.lock: the versions of constraints.txt with the hashes of their files, and all that pyproject.toml asks for."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]


def locked() -> dict[str, tuple[str, list[str]]]:
    """Name -> its version and hashes."""
    found = {}
    for block in re.split(r"\n(?=\S)", (ROOT / "requirements.lock").read_text().strip()):
        name, version = re.match(r"([a-z0-9.-]+)==(\S+)", block).groups()
        found[canonicalize_name(name)] = version, re.findall(r"--hash=(\S+)", block)
    return found


def test_every_pin_has_hashes_and_no_address():
    text = (ROOT / "requirements.lock").read_text()
    assert "://" not in text and "--index" not in text
    for name, (_, hashes) in locked().items():
        assert hashes and all(re.fullmatch("sha256:[0-9a-f]{64}", each) for each in hashes), name


def test_versions_are_those_of_the_constraints():
    pins = dict(line.split("==") for line in (ROOT / "constraints.txt").read_text().split())
    pinned = {canonicalize_name(name): version for name, version in pins.items()}
    differing = {name: version for name, (version, _) in locked().items() if pinned.get(name, version) != version}
    assert differing == {}


def test_all_that_is_asked_for_is_locked():
    asked = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    missing = {
        requirement.name
        for requirement in map(Requirement, asked)
        if canonicalize_name(requirement.name) not in locked()
        or locked()[canonicalize_name(requirement.name)][0] not in requirement.specifier
    }
    assert missing == set(), "`make lock` writes it anew"
