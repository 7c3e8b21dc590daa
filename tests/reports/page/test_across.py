"""The page's table of several tasks."""

from bench.records.record import Tuning
from reports.page.across import across_section
from reports.rows.rows import aggregate


def test_a_line_for_each_strategy_that_has_all_tasks(make):
    found = [
        make.record(name, 0, share, task=task, run_id=make.digest([name, task]))[0]
        for name, share in (("full", 0.91), ("frozen", 0.82))
        for task in ("sst2", "rte")
    ]
    section = across_section(aggregate(found))
    ((title, board),) = section.tables
    assert title.startswith("smollm2: ") and "sst2" in title and "Nemenyi" in " ".join(section.notes)
    assert [[cell.text for cell in line.cells] for line in board.lines] == [
        ["full", "1-2", ".800", "1.00"],
        ["frozen", "1-2", ".600", "2.00"],
    ]
    assert across_section(aggregate(found[:1])).tables == []


def test_unlike_chances_are_told(make):
    found = [
        make.record(name, 0, share, task=task, run_id=make.digest([name, task]), tuning=Tuning(trials=trials))[0]
        for name, share, trials in (("full", 0.91, 4), ("frozen", 0.82, 0))
        for task in ("sst2", "rte")
    ]
    told = "not the same chance: number of trials differs: 4 (full), 0 (frozen)."
    assert {f"smollm2 on {task}: {told}" for task in ("sst2", "rte")} <= set(across_section(aggregate(found)).notes)
