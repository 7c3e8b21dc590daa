from bench.records import store
from reports.audit.table import mean_numbers, shown_rows
from reports.rows.rows import aggregate


def test_rows_and_their_numbers_by_place(results):
    records = store.read_all(results)
    rows = {row.label: row for row in shown_rows(aggregate(records, results))}
    row = rows["row s / m / sst2 / full (seeds 0, 50)"]
    assert [run.setup.seed for run in row.runs] == [0, 50] and len(rows) == 4
    scores = [record.outcome.score.value for record in records if record.setup.task == "sst2"]
    assert row.numbers["score", "value"] == sum(scores) / 2
    gains = [record.outcome.best_base.gain.value for record in records if record.setup.task == "sst2"]
    assert row.numbers["best_base", "gain", "value"] == sum(gains) / 2
    assert ("forgetting", "mrpc", "delta") in row.numbers and ("stages", "forgetting") in row.numbers


def test_means_are_of_what_all_runs_have():
    runs = [{("a",): 1.0, ("b",): 2.0}, {("a",): 2.0}]
    assert mean_numbers(runs, {("a",): 0.0, ("b",): 0.0, ("c",): 0.0}) == {("a",): 1.5}
