"""The wide table's columns and cells."""

import pytest

from reports.boards import wide_table
from reports.rows.rows import aggregate


def test_columns_and_their_groups(make):
    found = wide_table.wide_table(aggregate([make.record("full")[0]]))
    assert found.groups == [("", 5), ("Task", 3), ("Forgetting (positive is loss)", 3), ("Cost", 11)]
    assert all(len(line.cells) == len(found.columns) for line in found.lines)


def test_what_a_record_lacks_is_empty_and_has_no_value_to_sort_by(make):
    bare = make.record("full", cost=None, gain=None, forgetting={})[0]
    found = wide_table.wide_table(aggregate([bare, make.record("frozen")[0]]))
    titles = [column.title for column in found.columns]
    cells = dict(zip(titles, found.lines[0].cells, strict=True))
    assert all(cells[title] == wide_table.EMPTY for title in ("Gain", "wikipedia", "FLOPs", "Trainable", "Saved"))
    assert cells["Score"].value == pytest.approx(0.85)


def test_row_of_an_api_has_money_and_no_sizes(make):
    paid = make.record("endpoint", trainable=0, probes={})[0]
    paid = make.changed(
        paid, cost=paid.cost.model_copy(update={"money": 0.0123, "total_parameters": 0, "peak_memory_bytes": 0})
    )
    found = wide_table.wide_table(aggregate([paid, make.record("full")[0]]))
    assert found.groups[-1] == ("Cost", 12)
    api, full = (dict(zip([c.title for c in found.columns], line.cells, strict=True)) for line in found.lines)
    assert (api["Money"].text, api["Money"].value) == ("0.0123", 0.0123) and full["Money"] == wide_table.EMPTY
    assert all(api[title] == wide_table.EMPTY for title in ("Memory", "Total", "wikipedia", "lambada"))
    assert "Money" not in [column.title for column in wide_table.wide_table(aggregate([make.record("full")[0]])).columns]


def test_seconds_of_all_devices_stand_there_where_several_shared_a_run(make):
    title = "Training, all devices"
    several, one = make.record("full")[0], make.record("frozen")[0]
    several = make.changed(several, cost=several.cost.model_copy(update={"train_seconds": 10.0, "device_seconds": 20.0}))
    found = wide_table.wide_table(aggregate([several, one]))
    shared, alone = (dict(zip([c.title for c in found.columns], line.cells, strict=True)) for line in found.lines)
    assert shared[title].value == 20.0 and alone[title] == wide_table.EMPTY
    assert title not in [column.title for column in wide_table.wide_table(aggregate([one])).columns]


def test_bars_share_a_track_that_holds_all_intervals(make):
    rows = aggregate([make.record("a", accuracy=0.62)[0], make.record("b", accuracy=0.93)[0]])
    assert wide_table.scale(rows) == (pytest.approx(0.5), pytest.approx(1.0))
    assert wide_table.scale([]) == (0.0, 1.0)
    bars = [line.cells[5].bar for line in wide_table.wide_table(rows).lines]
    assert all(0 <= bar.low <= bar.mid <= bar.high <= 100 for bar in bars) and bars[0].high < bars[1].low


def test_numbers_that_are_not_finite_have_no_value(make):
    record = make.record("full")[0]
    bad = record.outcome.forgetting["wikipedia"].model_copy(update={"delta": float("nan"), "ci_low": float("nan")})
    found = wide_table.wide_table(aggregate([make.changed(record, forgetting={"wikipedia": bad}, gain=float("inf"))]))
    cells = dict(zip([column.title for column in found.columns], found.lines[0].cells, strict=True))
    assert cells["wikipedia"].value is None and cells["wikipedia"].text == "–" and cells["Gain"].value is None


def test_each_measure_has_a_track_and_a_unit_of_its_own(make):
    share, other = make.record("a", accuracy=0.62)[0], make.record("b", task="perplexing")[0]
    score = {"name": "perplexity", "share": False, "value": 20.0, "ci_low": 15.0, "ci_high": 25.0, "higher_is_better": False}
    other = make.changed(other, score=other.outcome.score.model_copy(update=score), base_score=30.0, gain=10.0)
    found = wide_table.wide_table(aggregate([share, other]))
    columns = {column.title: column for column in found.columns}
    assert columns["Score"].note == "bar 0.5 to 0.7, 15 to 25" and columns["Gain"].note == "points, perplexity"
    assert columns["Score"].first == "descending"
    assert [line.cells[5].text for line in found.lines] == [".620", "20.000"]
    assert found.lines[1].cells[5].bar.mid == 50 and found.lines[1].cells[6].text == "+10.000"
    alone = wide_table.wide_table(aggregate([other]))
    assert next(column for column in alone.columns if column.title == "Score").first == "ascending"


def test_both_gains_stand_beside_each_other_with_the_base_that_each_is_over(make):
    """Of 200 answers 170 are right, of the base 110 in the row's words and 140 in its best."""
    found = wide_table.wide_table(aggregate([make.over_best(make.record("full", accuracy=0.85), right=140)[0]]))
    cells = {column.title: cell for column, cell in zip(found.columns, found.lines[0].cells, strict=True)}
    assert (cells["Gain"].text, cells["Gain"].detail) == ("+30.0", "base .550")
    assert (cells["Over best base"].text, cells["Over best base"].detail) == ("+15.0", "base .700, instruction")
    both = [column for column in found.columns if column.title in ("Gain", "Over best base")]
    assert all(column.shown for column in both) and all(cells[column.title].interval for column in both)


def test_score_has_its_seeds_deviation_and_its_collapsed_runs(make):
    found = [make.record("full", seed, 0.80 + 0.04 * seed)[0] for seed in range(2)]
    fallen = [make.changed(found[0], collapsed="one label alone"), found[1]]
    details = []
    for records in (found[:1], found, fallen):
        (line,) = wide_table.wide_table(aggregate(records)).lines
        details.append(line.cells[5].detail)
    assert details == ["", "seed SD 2.8 points", "seed SD 2.8 points; 1 of 2 collapsed"]
