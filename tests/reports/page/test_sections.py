"""The page's small tables: what has nothing to show is not there, and every cell says what its record says."""

import pytest
from page_tables import cells

from bench.records.outcome import BestBase, Gain, Score
from reports.boards.cells import EMPTY
from reports.page import sections
from reports.rows.numbers import points
from reports.rows.rows import aggregate


def built(found: list, out=None) -> dict[str, sections.Section]:
    return {section.title: section for section in sections.small_sections(aggregate(found, out))}


def test_nothing_to_show_is_no_section(make):
    assert built([make.record("full", probes={})[0], make.failed("x")]) == {}


def test_other_metrics(make):
    record = make.record("full")[0]
    rate = Score(name="malformed", value=0.032, ci_low=0.02, ci_high=0.05, n=200, share=True, higher_is_better=False)
    metrics = {
        **record.outcome.metrics,
        "f1_macro": record.outcome.score.model_copy(update={"name": "f1_macro"}),
        "malformed": rate,
    }
    found = [make.changed(record, metrics=metrics), make.record("frozen")[0]]
    ((_, table),) = built(found)["Other metrics"].tables
    (row,) = cells(table)
    assert (row["malformed"].text, row["malformed"].interval, row["malformed"].value) == (".032", "[.020, .050]", 0.032)
    assert row["f1_macro"].value == record.outcome.score.value
    assert [column.first for column in table.columns[3:]] == ["descending", "ascending"]


def test_other_tasks_stand_before_domains_and_rows_without_them_are_empty(make):
    both = make.elsewhere(make.mixture(), "tweets", 0.7, 150)[0]
    away = make.elsewhere(make.record("full"), "tweets", 0.8, 150)[0]
    ((_, table),) = built([away, both, make.record("frozen")[0]])["Other tasks and domains"].tables
    assert table.groups == [("", 3), ("Other tasks", 1), ("Domains", 1)]
    assert [column.note for column in table.columns[3:]] == ["accuracy, 64 items", "accuracy, 150 items"]
    full, multitask = cells(table)
    part = both.outcome.elsewhere["rte"]
    assert full["rte"] == EMPTY and full["tweets"].value == pytest.approx(0.8, abs=0.08)
    assert multitask["rte"].value == part.score.value
    value, low, high = (points(each) for each in (part.gain.value, part.gain.ci_low, part.gain.ci_high))
    assert multitask["rte"].detail == f"gain {value} [{low}, {high}]"


def test_another_task_has_both_gains(make):
    record, _ = make.elsewhere(make.mixture(), "tweets", 0.7, 150)
    best = BestBase(style="instruction", score=0.6, gain=Gain(value=0.1, ci_low=0.04, ci_high=0.16))
    part = record.outcome.elsewhere["tweets"].model_copy(update={"best_base": best})
    record = make.changed(record, elsewhere={**record.outcome.elsewhere, "tweets": part})
    ((_, table),) = built([record])["Other tasks and domains"].tables
    (row,) = cells(table)
    gained = part.gain
    told = f"gain {points(gained.value)} [{points(gained.ci_low)}, {points(gained.ci_high)}]; over best +10.0 [+4.0, +16.0]"
    assert row["tweets"].detail == told


def test_tasks_before_and_tasks_not_trained_on_have_headings_of_their_own(make):
    pair = make.record("full", inputs={"earlier": [{"name": "mrpc"}], "also": [{"name": "cb"}], "others": []})
    for name in ("tweets", "cb", "mrpc"):
        pair = make.elsewhere(pair, name, 0.7, 64)
    ((_, table),) = built([pair[0]])["Other tasks and domains"].tables
    assert table.groups == [("", 3), ("Earlier tasks", 1), ("Tasks not trained on", 1), ("Domains", 1)]
    assert [column.title for column in table.columns[3:]] == ["mrpc", "cb", "tweets"]


def test_transfer_says_against_what(make, out):
    ((_, table),) = built(make.kept(out, [make.mixture(), make.alone()]), out)["Transfer"].tables
    (row,) = cells(table)
    assert row["rte"].detail.endswith("(instruction of suite entailment, 64 items)") and " against ." in row["rte"].detail
    assert row["rte"].value < 0 and row["rte"].interval.startswith("[")


def test_wordings_are_a_table_per_model_and_task(make):
    found = [
        make.wordings(make.record("instruction"), {"say {text}": 0.80, "{text}?": 0.85})[0],
        make.wordings(make.mixture(), {"say {text}": 0.70, "{text}?": 0.71})[0],
        make.wordings(make.record("instruction", task="rte"), {"does it follow?": 0.5, "or not?": 0.6})[0],
        make.record("full")[0],
    ]
    tables = built(found)["Wordings"].tables
    assert [title for title, _ in tables] == ["smollm2 on sst2", "smollm2 on rte"]
    table = tables[0][1]
    assert [column.note for column in table.columns] == ["", "points, 48 items", "say {text}", "{text}?"]
    assert [row["Spread"].text for row in cells(table)] == ["5.0", "1.0"]
    assert [row["Wording 2"].value for row in cells(table)] == [0.85, 0.71]


def test_estimates_are_all_that_is_shown(make, out):
    pair = make.wordings(make.mixture(), {"a": 0.8, "b": 0.9})
    row = aggregate(make.kept(out, [pair, make.alone()]), out)[0]
    assert len(list(sections.estimates(row))) == 2 + 1 + 2
