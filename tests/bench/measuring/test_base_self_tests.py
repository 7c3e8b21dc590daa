"""Self-tests are made on the untouched base once for the code as it is."""

from pathlib import Path

import pytest

from bench.measuring import base_self_tests
from bench.measuring.untouched import Untouched

pytestmark = pytest.mark.usefixtures("cache")


def test_self_tests_are_made_once(session, monkeypatch):
    made = []
    monkeypatch.setattr(
        base_self_tests, "all_tests", lambda probe, module: made.append(probe) or {"sound": True, "unsound": False}
    )
    for _ in range(2):
        assert Untouched(session).self_tests() == {"mrpc: sound": True, "mrpc: unsound": False}
    assert len(made) == 1
    # A fault that somebody has put into the code since would not be seen by what was kept.
    monkeypatch.setattr(base_self_tests, "_tested_code", lambda: "another")
    Untouched(session).self_tests()
    assert len(made) == 2


def test_the_code_that_a_probe_goes_through_counts_for_its_self_tests(tmp_path, monkeypatch):
    bench = Path(base_self_tests.__file__).parent.parent
    assert all(list((bench / room).glob("*.py")) for room in base_self_tests.TESTED)
    for room in base_self_tests.TESTED:
        (tmp_path / room).mkdir()
        (tmp_path / room / "code.py").write_text("x = 1\n")
    monkeypatch.setattr(base_self_tests, "__file__", str(tmp_path / "measuring" / "base_self_tests.py"))
    hashes = [base_self_tests._tested_code.__wrapped__()]
    for room in base_self_tests.TESTED:
        (tmp_path / room / "code.py").write_text("x = 2\n")
        hashes.append(base_self_tests._tested_code.__wrapped__())
    assert len(set(hashes)) == len(base_self_tests.TESTED) + 1
