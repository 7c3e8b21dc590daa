"""The table of several tasks in a terminal."""

import re

from bench.records.record import Tuning


def test_tasks_together_follow_their_tables(make, capsys):
    found = [
        make.record(name, seed, share + 0.01 * seed, task=task, run_id=make.digest([name, task, seed]))[0]
        for name, share in (("full", 0.9), ("frozen", 0.8))
        for task in ("sst2", "rte")
        for seed in range(2)
    ]
    make.print_rows(found)
    printed = capsys.readouterr().out
    assert "sentiment: smollm2 across 2 tasks (" in printed
    below = printed[printed.index("across 2 tasks") :]
    assert re.search(r"^full +1-2 +\.7\d\d \[\.7\d\d, \.8\d\d\] +1\.00$", below, re.MULTILINE)
    assert re.search(r"^frozen +1-2 +\.5\d\d \[\.5\d\d, \.5\d\d\] +2\.00$", below, re.MULTILINE)
    assert "No two rows can differ by their average ranks on so few tasks (Nemenyi, 2 rows, 2 tasks)." in below
    assert all(len(line.rstrip()) <= 112 for line in below.splitlines())
    make.print_rows(found[:2])
    assert "across" not in capsys.readouterr().out


def test_unlike_chances_are_told_below(make, capsys):
    """Planted fault: the ranks over tasks were of a tuned row and an untuned one, and said nothing of it."""
    found = [
        make.record(name, 0, share, task=task, run_id=make.digest([name, task]), tuning=Tuning(trials=trials))[0]
        for name, share, trials in (("full", 0.9, 4), ("frozen", 0.8, 0))
        for task in ("sst2", "rte")
    ]
    make.print_rows(found)
    below = capsys.readouterr().out.rpartition("across 2 tasks")[2].splitlines()
    told = "not the same chance: number of trials differs: 4 (full), 0 (frozen)"
    assert sorted(below[-2:]) == [f"rte: {told}", f"sst2: {told}"]


def test_places_over_many_tasks_part_rows(make, capsys):
    """Of twelve tasks the one that is first in all is ahead by more than Nemenyi's critical difference."""
    found = [
        make.record(name, 0, share, task=f"t{task}", run_id=make.digest([name, task]))[0]
        for name, share in (("full", 0.9), ("frozen", 0.8))
        for task in range(12)
    ]
    make.print_rows(found)
    below = capsys.readouterr().out.rpartition("across 12 tasks")[2]
    assert re.search(r"^full +1 +\.\d\d\d.* 1\.00$", below, re.MULTILINE)
    assert re.search(r"^frozen +2 +\.\d\d\d.* 2\.00$", below, re.MULTILINE)
