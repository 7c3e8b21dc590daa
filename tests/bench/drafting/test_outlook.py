"""What the next command would take, held against the estimate of the plan that it would run."""

from own_files import as_csv, reviews

from bench.drafting import outlook
from bench.drafting.findings import split_counts
from bench.drafting.starting import look, write
from bench.drafting.wishes import Wishes
from bench.planning.data_view import SPLITS


def test_it_grows_with_the_test_and_shrinks_with_the_machines_speed(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.csv").write_text(as_csv(["text", "label"], [list(row) for row in reviews(120)]))
    looked = look("a.csv", Wishes(model="tiny-bert"))
    suite, _ = write(looked)
    test = split_counts(looked.view, SPLITS[2])
    monkeypatch.setattr(outlook, "speed", lambda: 1e9)
    slow = outlook.outlook(suite, test, 2)
    monkeypatch.setattr(outlook, "speed", lambda: 1e10)
    fast = outlook.outlook(suite, test, 2)
    assert slow.runs == fast.runs == 5 and slow.memory_bytes == fast.memory_bytes > 4 * 4_000_000
    assert abs(slow.seconds / fast.seconds - 10) < 1e-6
    costs = [outlook.estimate_cost(run, 1e10) for run in outlook.plan(outlook.PlanOptions(str(suite)), "auto")]
    trained = sum(cost.operations + cost.probing for cost in costs) / 1e10 / outlook.SUSTAINED
    assert trained < fast.seconds < 2 * trained


def test_seconds_are_told_as_roughly_as_they_are_known():
    assert [outlook.time_told(s) for s in (3, 44, 70, 600, 7200)] == [
        "10 seconds",
        "40 seconds",
        "1 minute",
        "10 minutes",
        "2.0 hours",
    ]
