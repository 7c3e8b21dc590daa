"""Rows without a model: once a task, a score alone, marked as what they are."""

from bench.records.outcome import Score
from reports.page import leaderboard
from reports.rows.no_model_rows import NO_MODEL, without_model
from reports.rows.rows import aggregate

CONSTANT = Score(name="accuracy", value=0.509, ci_low=0.476, ci_high=0.542, n=872, share=True)


def referred(make, out):
    pairs = [make.record(name) for name in ("full", "frozen")]
    return make.kept(out, [(make.changed(record, references={"constant answer": CONSTANT}), items) for record, items in pairs])


def test_each_answer_is_a_row_once(make, out):
    rows = aggregate(referred(make, out), out)
    (row,) = without_model(rows)
    assert (row.setup.model, row.setup.strategy, row.setup.task) == (NO_MODEL, "constant answer", "sst2")
    assert (row.score.value, row.score.low, row.score.high) == (0.509, 0.476, 0.542)
    assert row.gain is None and row.cost is None and row.seeds == "none"
    assert without_model(aggregate([make.record("full")[0]], out)) == []


def test_table_and_page_show_it_as_no_model(make, out, capsys):
    records = referred(make, out)
    make.print_rows(records, out)
    shown = capsys.readouterr().out
    assert "constant answer" in shown and "(no model)" in shown and shown.count(".509") == 1
    page = leaderboard.write_page(out, out).read_text()
    assert "constant answer" in page and "no model" in page and ".509" in page
