"""What the next command would take: the same as `--dry-run` says of the written suite."""

import pytest
from own_files import as_csv, reviews

from bench.drafting import outlook
from bench.drafting.starting import look, write
from bench.drafting.wishes import Wishes
from bench.planning import dry_run
from bench.planning.options import PlanOptions
from bench.planning.plan import plan


def test_it_is_what_a_dry_run_says_and_hangs_on_the_machines_speed(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text(as_csv(["text", "label"], [list(row) for row in reviews(120)]))
    suite, _ = write(look("a.csv", Wishes(model="tiny-bert")))
    found = {}
    for rate in (1e6, 1e7):
        monkeypatch.setattr(outlook, "speed", lambda rate=rate: rate)
        found[rate] = outlook.outlook(suite)
    assert found[1e6].seconds / found[1e7].seconds == pytest.approx(10)
    assert found[1e6].runs == 5 and found[1e6].memory_bytes == found[1e7].memory_bytes > 4 * 4_000_000
    monkeypatch.setattr(dry_run.estimate, "speed", lambda: 1e6)
    runs = plan(PlanOptions(str(suite)), "auto")
    dry_run.print_plan(runs, tmp_path, runs)
    assert f"in all about {found[1e6].seconds / 3600:.2f} device-hours" in capsys.readouterr().out
