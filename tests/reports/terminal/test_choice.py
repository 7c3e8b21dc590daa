"""The choice in a terminal."""

import pytest

from bench.errors import UserError
from bench.records.record import Tuning
from reports.choice.rule import Wish
from reports.rows.rows import aggregate
from reports.terminal.choice import print_choices


def test_picks_come_with_reasons_and_so_does_what_is_left_out(make, out, capsys):
    rows = aggregate(make.kept(out, make.suite(2)), out)
    print_choices(rows, Wish({"saved_bytes": 2e8}, 0.05))
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "sentiment: smollm2 on sst2" and lines[1].strip().startswith("2 rows are left, a tie")
    assert any(line.startswith("  lora-8bit: sst2: .865 [") and "saves the fewest bytes" in line for line in lines)
    assert any(line.startswith("    full: saves 538 MB on sst2") for line in lines[lines.index("  Left out:") :])


def test_unlike_chances_are_told_with_the_choice(make, out, capsys):
    """Planted fault: the one row that four trials had chosen was picked, and nobody was told that the others had none."""
    rows = make.kept(out, [make.record("full"), make.record("frozen", accuracy=0.6, tuning=Tuning(trials=4))])
    print_choices(aggregate(rows, out), Wish({}))
    assert "  sst2: not the same chance: number of trials differs: 0 (full), 4 (frozen)" in capsys.readouterr().out
    print_choices(aggregate(rows[:1], out), Wish({}))
    assert "not the same" not in capsys.readouterr().out


def test_task_that_no_row_has_is_the_users_error(make, out):
    with pytest.raises(UserError, match="no row has a score on all of squad; the tasks here are sst2"):
        print_choices(aggregate(make.kept(out, make.suite(1)), out), Wish({}, None, ("squad",)))
