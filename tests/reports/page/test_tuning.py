"""The page's tables on tuning: what was chosen, the way to it as numbers with their intervals, and all trials."""

import pytest
from page_tables import cells

from bench.records.record import BestAfter, Spent, TrialSummary, Tuning
from reports.page import leaderboard, sections
from reports.page.tuning import counts, tuning_section
from reports.rows.rows import aggregate


def tried(score, rate, status="ok"):
    spent = Spent(examples=512, tokens=20_000, flops=10**12, seconds=20.4)
    return TrialSummary(ids=["abc"], hyperparameters={"learning_rate": rate}, status=status, score=score, spent=spent)


TRIED = [tried(0.70, 4e-5), tried(None, 4e-4, "failed"), tried(0.80, 1e-4), tried(0.60, 1e-5)]
BEST = [(1, 0.70, 0.70, 0.70), (2, 0.7333, 0.70, None), (3, 0.7556, 0.70, None), (4, 0.7704, 0.70, 0.80)]
TUNING = Tuning(
    trials=4,
    sampler="random",
    pruner="none",
    share=1.0,
    seeds=1,
    tried=TRIED,
    chosen=2,
    expected_best=[BestAfter(trials=k, expected=e, low=low, high=high) for k, e, low, high in BEST],
)


def test_a_tuned_row_shows_its_trials_its_choice_and_the_expected_best(make):
    found = [make.record("full", tuning=TUNING)[0], make.record("frozen")[0]]
    (section,) = [each for each in sections.small_sections(aggregate(found)) if each.title == "Tuning"]
    (title, table), _ = section.tables
    (row,) = cells(table)
    assert title == "smollm2 on sst2" and row["Strategy"].text == "full"
    assert (row["Tuning trials"].text, row["Tuning trials"].detail) == ("4", "random, 1 failed")
    assert (row["Choice"].text, row["Choice"].detail) == ("learning_rate 0.0001", "trial 3")
    assert row["Validation score"].text == ".800" and row["Spent on trials"].text == "82"
    assert [row[name].text for name in ("1 trial", "2 trials", "4 trials")] == [".700", ".733", ".770"]
    assert [row[name].interval for name in ("1 trial", "2 trials", "4 trials")] == ["", "[.700, –]", "[.700, .800]"]
    assert "expected_best" in section.terms


def test_what_asking_took_and_cost_stands_below_what_training_took(make):
    """Planted fault: a search of `few-shot` that an API was paid for had spent 0 s, and nothing else was said."""

    def spent(*changes):
        trials = [
            each.model_copy(update={"spent": each.spent.model_copy(update=change)})
            for each, change in zip(TRIED, changes, strict=True)
        ]
        tuning = TUNING.model_copy(update={"tried": trials})
        (_, table), _ = tuning_section(aggregate([make.record("few-shot", tuning=tuning)[0]])).tables
        (row,) = cells(table)
        return row["Spent on trials"].text, row["Spent on trials"].detail

    asked = {"seconds": 0.0, "asking_seconds": 2.5}
    assert spent(*[asked] * 4) == ("0", "asking 10 s")
    assert spent(*[asked | {"money": 0.25}] * 4) == ("0", "asking 10 s, 1.00 paid")
    assert spent(*[asked] * 3, {"seconds": 0.0}) == ("0", "")


def test_without_an_estimate_there_are_dashes_and_without_tuning_no_section(make):
    tpe = TUNING.model_copy(update={"sampler": "tpe", "expected_best": [], "chosen": 0})
    (_, table), _ = tuning_section(aggregate([make.record("full", tuning=tpe)[0]])).tables
    (row,) = cells(table)
    assert row["4 trials"].text == "–" and row["Choice"].detail == "the default"
    assert tuning_section(aggregate([make.record("full")[0], make.failed("x")])).tables == []


def test_all_trials_stand_there_with_what_they_tried_and_how_they_ended(make):
    """Planted fault: the choice alone stood there, so that nobody saw how far behind the others were."""
    pruned = tried(0.65, 2e-5, "pruned").model_copy(update={"spent": Spent(examples=128, tokens=1, flops=1, seconds=5.0)})
    failed = TRIED[1].model_copy(update={"reason": "the loss is nan"})
    more = TUNING.model_copy(update={"tried": [TRIED[0], failed, *TRIED[2:], pruned], "trials": 5})
    found = [make.record("full", tuning=more)[0], make.record("frozen", tuning=TUNING)[0]]
    _, (title, table) = tuning_section(aggregate(found)).tables
    full, frozen = ({name: (cell.text, cell.detail) for name, cell in row.items()} for row in cells(table))
    assert title == "smollm2 on sst2: all trials"
    assert full == {
        "Strategy": ("full", ""),
        "Trial 1": (".700", "learning_rate 4e-05"),
        "Trial 2": ("failed", "learning_rate 0.0004; the loss is nan"),
        "Trial 3": (".800", "learning_rate 0.0001; the choice"),
        "Trial 4": (".600", "learning_rate 1e-05"),
        "Trial 5": (".650", "learning_rate 2e-05; pruned, 128 examples spent"),
    }
    assert frozen["Trial 4"] == full["Trial 4"] and frozen["Trial 5"] == ("–", "")


@pytest.mark.parametrize(("most", "shown"), [(1, [1]), (2, [1, 2]), (4, [1, 2, 4]), (6, [1, 2, 4, 6]), (16, [1, 2, 4, 8, 16])])
def test_powers_of_two_and_the_last_are_shown(most, shown):
    assert counts(most) == shown


def test_the_section_stands_on_the_page_and_a_tuned_row_is_set_apart_by_its_trials(make):
    rows = aggregate([make.record("full", tuning=TUNING)[0], make.record("full")[0]])
    page = leaderboard.render(rows)
    assert "<h3>Tuning</h3>" in page and "learning_rate 0.0001" in page
    assert any("tuning.trials=4" in row.variant for row in rows)
