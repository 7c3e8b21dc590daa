"""`tunebench selfcheck`, `power` and `claims` as a user gives them; what they compute is tested in tests/reports/."""

import json

import pytest

STUDIES = [["selfcheck"], ["power", "--difference", "2points"], ["claims"]]


@pytest.mark.parametrize("command", STUDIES)
def test_a_study_of_nothing_says_what_to_do(called, out, kept, command):
    status, shown, said = called(*command, "--out", out)
    assert (status, shown) == (2, "") and "run a suite first" in said
    kept("full")
    status, shown, said = called(*command, "--suite", "other", "--out", out)
    assert (status, shown) == (2, "") and "of suite other; run a suite first" in said


@pytest.mark.parametrize("command", STUDIES[:2])
def test_a_study_of_records_without_items_is_refused_in_one_sentence(called, out, kept, command):
    kept("full")
    kept("frozen")
    status, _, said = called(*command, "--out", out)
    assert status == 2 and said.startswith("error: ") and len(said.splitlines()) == 1


@pytest.mark.parametrize(
    ("command", "option"),
    [
        (["selfcheck", "--tables", "1999"], "--tables"),
        (["selfcheck", "--seeds", "1"], "--seeds"),
        (["power", "--difference", "many"], "many"),
        (["power"], "--difference"),
    ],
)
def test_a_wrong_option_of_a_study_is_named(called, out, kept, command, option):
    kept("full")
    status, shown, said = called(*command, "--out", out)
    assert (status, shown) == (2, "") and said.startswith("error: ") and option in said


def test_claims_are_printed_for_people_and_programs_and_are_written_where_asked(called, out, kept, tmp_path):
    kept("full")
    kept("lora-8bit")
    status, shown, _ = called("claims", "--out", out)
    assert status == 0 and "no runs for it: Adapters" in shown
    claims = json.loads(called("claims", "--json", "--out", out)[1])["m"]
    assert len(claims) > 5 and {claim["verdict"] for claim in claims} == {None}
    page = tmp_path / "claims.md"
    assert called("claims", "--markdown", page, "--out", out)[0] == 0 and "Adapters need less memory" in page.read_text()
