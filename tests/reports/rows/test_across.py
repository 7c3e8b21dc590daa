"""Tasks together: what a score is put as, and who stands there."""

import pytest

from bench.records.outcome import BestBase, Gain
from reports.rows.across import Across, Overall, across
from reports.rows.captions import across_sentences
from reports.rows.rows import aggregate


def found(make, seeds: int = 1, tasks=("sst2", "rte")):
    scores = {"full": (0.91, 0.64), "frozen": (0.82, 0.73)}
    return [
        make.record(name, seed, share + 0.01 * seed, task=task, run_id=make.digest([name, task, seed]))[0]
        for name, shares in scores.items()
        for task, share in zip(tasks, shares, strict=False)
        for seed in range(seeds)
    ]


def test_scores_are_of_the_way_from_the_base_to_a_perfect_one(make):
    (both,) = across(aggregate(found(make)))
    # The base is .55: full goes .36 and .09 of .45, frozen .27 and .18.
    assert {row.label: row.middle for row in both.rows} == pytest.approx({"full": (0.8 + 0.2) / 2, "frozen": (0.6 + 0.4) / 2})
    assert {row.label: row.rank for row in both.rows} == {"full": 1.5, "frozen": 1.5}
    assert all(row.bounds is None for row in both.rows) and both.critical == pytest.approx(1.386, abs=0.001)
    assert (both.suite, both.model, both.tasks) == ("sentiment", "smollm2", ["rte", "sst2"])


def test_who_lacks_a_task_is_named(make):
    """Planted fault: a row that led on two tasks and failed on the third stood nowhere, without a word."""
    (both,) = across(aggregate([*found(make), make.record("lora-8bit", accuracy=0.95, task="sst2")[0]]))
    assert both.left_out == ["lora-8bit"]
    assert "Not in this table, as they lack a score on some task: lora-8bit." in across_sentences(both)
    assert across(aggregate(found(make)))[0].left_out == []


def test_sentences_say_what_the_places_say():
    """Of two rows on four tasks the one that leads on all is not told apart, by the sign test. Planted fault: ranks 1.00 apart
    were said to differ, below places that said that they don't."""

    def told(rows: int, tasks: int, bounds=None) -> str:
        labels = [Overall(str(place), 0.0, bounds, float(place)) for place in range(1, rows + 1)]
        return " ".join(across_sentences(Across("s", "m", ["task"] * tasks, labels)))

    assert "No two rows can differ by their average ranks on so few tasks (sign test, 2 rows, 4 tasks)." in told(2, 4)
    assert "Average ranks more than 0.75 apart differ (sign test, 2 rows, 8 tasks)." in told(2, 8)
    assert "Average ranks more than 0.80 apart differ (Nemenyi, 2 rows, 6 tasks)." in told(2, 6)
    assert "so few tasks (Nemenyi, 3 rows, 2 tasks)." in told(3, 2)
    assert "Its interval" not in told(2, 4) and "one seed there is no interval" in told(2, 4)
    assert "Its interval holds other seeds" in told(2, 4, (0.1, 0.2)) and "one seed" not in told(2, 4, (0.1, 0.2))


def test_places_over_tasks_are_those_of_the_critical_difference(make):
    rows = [Overall(label, 0.0, None, rank) for label, rank in (("a", 1.0), ("b", 2.0), ("c", 3.0))]
    few, many = (Across("s", "m", ["task"] * count, rows) for count in (2, 40))
    assert few.critical > 2 and few.places == [(1, 3)] * 3
    assert many.critical < 1 and many.places == [(1, 1), (2, 2), (3, 3)]
    between = Across("s", "m", ["task"] * 6, rows)
    assert 1 < between.critical < 2 and between.places == [(1, 2), (1, 3), (2, 3)]


def test_bounds_do_not_hang_on_the_tasks_order(make):
    """Planted fault: a terminal, which holds the rows as they were made, told another interval than the page."""
    rows = aggregate(found(make, seeds=3, tasks=("sst2", "rte")))
    assert across(rows) == across(sorted(rows, key=lambda row: row.setup.task))


def test_several_seeds_have_bounds(make):
    (both,) = across(aggregate(found(make, seeds=3)))
    assert all(row.bounds[0] <= row.middle <= row.bounds[1] for row in both.rows)


def test_the_base_is_that_of_the_best_words_of_any_row(make):
    """Of records that do not know in which words validation items found it best."""
    records = [make.changed(record, best_base=None) for record in found(make)]
    records[0] = make.changed(records[0], base_score=0.775)  # full on sst2 was asked in better words
    (both,) = across(aggregate(records))
    assert {row.label: row.middle for row in both.rows}["full"] == pytest.approx(((0.91 - 0.775) / 0.225 + 0.2) / 2)


def test_the_base_hangs_on_no_other_row(make):
    """Planted fault: `full` fell from .667 to .500 once a row stood beside it that was asked in words better on test items."""
    best = BestBase(style="plain", score=0.55, gain=Gain(value=0.1, ci_low=0.0, ci_high=0.2))
    records = [make.changed(record, best_base=best) for record in found(make)]
    beside = [
        make.changed(
            record,
            base_score=0.775,
            setup=record.setup.model_copy(update={"strategy": "instruction"}),
            run_id=record.run_id[::-1],
        )
        for record in records
        if record.setup.strategy == "full"
    ]
    (alone,), (together,) = across(aggregate(records)), across(aggregate([*records, *beside]))
    middles = [{row.label: row.middle for row in table.rows} for table in (alone, together)]
    assert len(middles[1]) == 3 and middles[1]["full"] == middles[0]["full"] == pytest.approx(0.5)


def test_a_strategy_that_lacks_a_task_and_a_single_task_have_none(make):
    (both,) = across(aggregate([*found(make), make.record("lora-8bit")[0]]))
    assert {row.label for row in both.rows} == {"full", "frozen"}
    assert across(aggregate([make.record("full")[0], make.record("frozen")[0]])) == []
    perfect = [make.changed(record, base_score=1.0) for record in found(make)]
    assert across(aggregate(perfect)) == []


@pytest.mark.parametrize("odd", ["a-translation", "z-translation"])
def test_a_task_that_is_left_out_leaves_out_no_strategy(make, odd):
    """Wherever it stands in the order of names: `lora-8bit` was not run on it, and has all others."""
    left_out = []
    for record in found(make, tasks=(odd,)):
        bleu = record.outcome.score.model_copy(update={"name": "bleu", "share": False})
        left_out.append(make.changed(record, score=bleu))
    others = [make.record("lora-8bit", task=task, run_id=make.digest(task))[0] for task in ("m-task", "n-task")]
    records = sorted([*left_out, *found(make, tasks=("m-task", "n-task")), *others], key=lambda record: record.setup.task)
    (both,) = across(aggregate(records))
    assert both.tasks == ["m-task", "n-task"] and {row.label for row in both.rows} == {"full", "frozen", "lora-8bit"}


@pytest.mark.parametrize(("name", "perfect"), [("perplexity", 1.0), ("bits_per_byte", 0.0)])
def test_a_corpus_ends_where_its_texts_are_foretold_for_sure(make, name, perfect):
    records = []
    for record in found(make):
        if record.setup.task == "rte":
            value = 2.0 if record.setup.strategy == "full" else 3.0
            score = record.outcome.score.model_copy(
                update={"name": name, "share": False, "higher_is_better": False, "value": value}
            )
            record = make.changed(record, score=score, base_score=5.0)
        records.append(record)
    (both,) = across(aggregate(records))
    gone = {"full": 3 / (5 - perfect), "frozen": 2 / (5 - perfect)}
    assert {row.label: row.middle for row in both.rows} == pytest.approx(
        {"full": (0.8 + gone["full"]) / 2, "frozen": (0.6 + gone["frozen"]) / 2}
    )


def test_a_task_with_scores_by_two_metrics_is_left_out(make):
    """Its YAML got another first metric in between; a mean of both would be of nothing."""
    records = found(make, tasks=("sst2", "rte"))
    score = records[0].outcome.score.model_copy(update={"name": "f1_macro"})
    records[0] = make.changed(records[0], score=score)
    assert across(aggregate(records)) == []


def test_a_score_without_a_perfect_value_is_left_out(make):
    odd = [
        make.changed(record, score=record.outcome.score.model_copy(update={"share": False}))
        if record.setup.task == "rte" else record
        for record in found(make)
    ]  # fmt: skip
    assert across(aggregate(odd)) == []
