"""The columns of a paper's table: what they hold, and who is best in them."""

import pytest

from bench.errors import UserError
from reports.paper.measures import DEFAULT_SELECTION, check_selection, measures
from reports.rows.rows import aggregate

LOSS = {"wikipedia": ("loss (nats per token)", 3.2, 3.3)}


def rows_of(make, out, accuracies: dict[int, float], **changes):
    made = [
        make.record("lora-8bit", 0, accuracy, LOSS, hyperparameters={"peft": {"r": rank}}, **changes)
        for rank, accuracy in accuracies.items()
    ]
    return aggregate(make.kept(out, made), out)


def ranks(rows, ids):
    return {row.setup.hyperparameters["peft"]["r"] for row in rows if row.first.run_id in ids}


def test_the_default_columns_are_score_gain_and_every_probe(make, out):
    rows = rows_of(make, out, {2: 0.9, 4: 0.8})
    found = measures(rows, DEFAULT_SELECTION)
    assert [measure.name for measure in found] == ["score", "gain", "forgetting.wikipedia"]
    assert [measure.header for measure in found] == [
        "accuracy [95 %]",
        "Gain (points) [95 %]",
        "forgets wikipedia (nats per token) [95 %]",
    ]
    (first, *_), score = rows, found[0]
    assert score.value(first) == first.score.value and score.bounds(first) == (first.score.low, first.score.high)


def test_the_best_is_the_highest_score_and_a_clear_loser_is_not_tied(make, out):
    rows = rows_of(make, out, {2: 0.9, 4: 0.89, 8: 0.55})
    (score,) = measures(rows, ["score"])
    best, tied = score.best(rows), score.tied(rows)
    values = {row.setup.hyperparameters["peft"]["r"]: row.score.value for row in rows}
    assert ranks(rows, best) == {max(values, key=values.get)}
    assert ranks(rows, best | tied) == {2, 4}


def test_least_is_best_of_what_was_lost(make, out):
    lost = [
        make.record("full", 0, 0.8, {"wikipedia": (LOSS["wikipedia"][0], 3.2, after)}, hyperparameters={"learning_rate": rate})
        for rate, after in ((1e-5, 3.25), (1e-4, 4.2))
    ]
    rows = aggregate(make.kept(out, lost), out)
    (measure,) = measures(rows, ["forgetting.wikipedia"])
    (ahead,) = [row for row in rows if row.first.run_id in measure.best(rows)]
    assert ahead.setup.hyperparameters == {"learning_rate": 1e-5}


def test_a_loss_without_an_interval_is_no_best_one(make, out):
    """Planted fault: the row of which nothing was tested was bold, and those that were stood as tied with it."""
    pairs = [make.record(name) for name in ("full", "frozen", "lora")]
    rows = aggregate(make.kept(out, [*pairs[:2], make.lost(pairs[2], "wikipedia", (0.001, None, None))]))
    (column,) = measures(rows, ["forgetting.wikipedia"])
    ids = {row.label: row.first.run_id for row in rows}
    assert column.best(rows) | column.tied(rows) == {ids["full"], ids["frozen"]} and ids["lora"] not in column.best(rows)


def test_gains_over_different_bases_are_not_ranked(make, out):
    rows = rows_of(make, out, {2: 0.9, 4: 0.8})
    assert measures(rows, ["gain"])[0].best(rows)
    other = make.changed(rows[1].first, base_score=0.1)
    mixed = aggregate([rows[0].first, other], out)
    assert measures(mixed, ["gain"])[0].best(mixed) == set()


def test_costs_have_numbers_and_no_best(make, out):
    rows = rows_of(make, out, {2: 0.9, 4: 0.8})
    seconds, saved = measures(rows, ["train_seconds", "saved_bytes"])
    assert seconds.value(rows[0]) == 81.5 and seconds.text(81.5) == "81.5" and seconds.bounds(rows[0]) is None
    assert saved.text(17_500_000) == "17.5 M" and saved.best(rows) == saved.tied(rows) == set()


@pytest.mark.parametrize(("name", "told"), [("scores", "score"), ("forgetting.wiki", "wikipedia")])
def test_a_column_that_there_is_not_is_refused(make, out, name, told):
    with pytest.raises(UserError, match=told):
        measures(rows_of(make, out, {2: 0.9, 4: 0.8}), [name])


def test_names_are_checked_before_there_are_rows():
    check_selection(["score", "forgetting.any", "over_best"])
    with pytest.raises(UserError, match="cost"):
        check_selection(["cost"])
