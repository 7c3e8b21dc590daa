"""What a mixture changed, by the audit's own loops: as the tables have it, and a planted fault is found."""

from dataclasses import replace

import pytest

from bench.records import store
from reports.audit import findings as findings_module
from reports.audit import transfers
from reports.audit.findings import audit


@pytest.fixture
def mixtures(make, out):
    """A folder with three seeds of a mixture and of one of its tasks alone, which share a part of their items."""
    runs = [make.mixture(seed, 0.5 + 0.1 * seed, count=64) for seed in range(3)]
    make.kept(out, [*runs, *(make.alone(seed=seed, accuracy=0.6 + 0.05 * seed) for seed in range(3))])
    return out


def of_transfers(out):
    """What the audit found of transfers."""
    findings = audit(out, store.read_all(out))
    wrong = {each.place: each for each in findings.differences if each.place[0] == "transfers"}
    return wrong, {name for name in findings.unchecked if name.startswith("transfers")}


def test_the_rise_and_its_interval_are_made_again(mixtures):
    assert of_transfers(mixtures) == ({}, set())


@pytest.mark.parametrize(("end", "place"), [("value", "value"), ("low", "ci_low"), ("high", "ci_high")])
def test_another_rise_is_found(mixtures, monkeypatch, end, place):
    real = findings_module.aggregate

    def changed(*arguments):
        return [_risen(row, end) for row in real(*arguments)]

    monkeypatch.setattr(findings_module, "aggregate", changed)
    wrong, unchecked = of_transfers(mixtures)
    assert list(wrong) == [("transfers", "rte", place)] and not unchecked


def _risen(row, end):
    rises = [replace(each.rise, **{end: getattr(each.rise, end) + 1e-6}) for each in row.transfers]
    return replace(row, transfers=[replace(each, rise=rise) for each, rise in zip(row.transfers, rises, strict=True)])


def test_items_of_both_runs_alone_count(mixtures, monkeypatch):
    """The mixture was asked a part of what the run alone was."""
    real = transfers._answers_by_item
    seen = []

    def answers(run, *arguments):
        seen.append(len(dict(real(run, *arguments))))
        return real(run, *arguments)

    monkeypatch.setattr(transfers, "_answers_by_item", answers)
    assert of_transfers(mixtures)[0] == {} and set(seen) == {64, 200}


def test_a_run_alone_without_answers_leaves_the_rise_unchecked(make, out):
    _, (alone, _) = make.kept(out, [make.mixture(count=200), make.alone()]), make.alone()
    (store.folder(out) / f"{alone.run_id}.parquet").unlink()
    names = ("value", "together", "alone", "items")
    assert of_transfers(out) == ({}, {f"transfers.{name}" for name in names})
