"""The comparison for programs."""

import json

import pytest
from doc_tables import first_cells

from reports.gate.as_json import changes_as_json


def test_keys_and_numbers(sides, held):
    found = held(sides.pairs(full=0.7), sides.pairs())
    whole = json.loads(json.dumps(changes_as_json(found), allow_nan=False))
    assert list(whole) == [
        "schema_version",
        "new",
        "old",
        "status",
        "within",
        "changes",
        "failing",
        "not_comparable",
        "changed",
        "notes",
    ]
    assert whole["status"] == 1 and whole["within"] == {"points": 2.0, "nats": 0.05, "nats_per_token": 0.01, "percent": 5.0}
    score = next(each for each in whole["changes"] if (each["row"], each["what"]) == ("full", "score"))
    assert (
        score["verdict"] == "worse" and score["change"] == pytest.approx(-0.15) and score["ci_low"] < -0.15 < score["ci_high"]
    )
    assert score["finds"]["low"] <= score["finds"]["value"] <= score["finds"]["high"] and score["paired"] and score["p"] < 0.05


def test_costs_are_quotients(sides, held):
    whole = changes_as_json(held(sides.pairs(), sides.pairs()))
    cost = next(each for each in whole["changes"] if each["question"] == "cost")
    assert (cost["change"], cost["ci_low"], cost["unit"]) == (1.0, 1.0, "times") and cost["within"] == pytest.approx(1.05)


def test_the_page_for_a_ci_names_all_keys(sides, held):
    whole = changes_as_json(held(sides.pairs(), sides.pairs()))
    assert sorted(first_cells("docs/ci.md", "| key | what it is |")) == sorted(whole)
    assert sorted(first_cells("docs/ci.md", "| key of a change |")) == sorted(whole["changes"][0])
