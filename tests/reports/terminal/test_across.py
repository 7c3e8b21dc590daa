"""The table of several tasks in a terminal."""

import re


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
    assert re.search(r"^full +\.7\d\d \[\.7\d\d, \.8\d\d\] +1\.00$", below, re.MULTILINE)
    assert re.search(r"^frozen +\.5\d\d \[\.5\d\d, \.5\d\d\] +2\.00$", below, re.MULTILINE)
    assert "Average ranks 1.39 apart differ (Nemenyi, 2 rows, 2 tasks)." in below
    assert all(len(line.rstrip()) <= 112 for line in below.splitlines())
    make.print_rows(found[:2])
    assert "across" not in capsys.readouterr().out
