"""baselines/fairness.py: what its page says of two rankings, from records that are made up."""

import pytest

from baselines.fairness import in_short, ranking, section
from bench.records.record import Tuning


@pytest.fixture
def ranked(make, tmp_path):
    def ranked(name, trials=0, **scores):
        tuned = {"tuning": Tuning(trials=trials), "inputs": {"search": {"trials": trials}}} if trials else {}
        records = [make.record(strategy, seed, score, **tuned) for strategy, score in scores.items() for seed in range(3)]
        make.kept(tmp_path / name, records)
        return ranking(tmp_path / name, "smollm2", trials)

    return ranked


def test_a_pair_that_only_one_ranking_tells_apart_is_named(ranked):
    shared = ranked("shared", full=0.9, frozen=0.6, multitask=0.6)
    tuned = ranked("tuned", full=0.9, frozen=0.9, multitask=0.6)
    page = "\n".join(section("smollm2", 4e-5, shared, tuned))
    named = ("full against frozen: better", "frozen against full: worse")  # of equals either may come first
    assert any(f"{each} with one rate for all, not to be told apart when tuned." in page for each in named)
    assert "frozen against multitask: not to be told apart with one rate for all, better when tuned." in page
    assert "Of 3 pairs, 1 are told apart by both rankings in the same way, and 0 by neither." in page
    assert "| frozen | .600 [" in page and "| 2-3 |" in page and "| 1-2 |" in page


def test_the_page_first_says_whether_tuning_changes_who_wins(ranked):
    shared, tuned = ranked("shared", full=0.9, frozen=0.6, multitask=0.6), ranked("tuned", full=0.6, frozen=0.9, multitask=0.6)
    assert in_short("smollm2", shared, tuned) == (
        "On smollm2 one rate for all tells 2 of 3 pairs apart, and equal tuning 2; 1 of them change places by more than chance."
    )
    assert "2 of 3 pairs apart, and equal tuning 2; none of them" in in_short("smollm2", shared, shared)


def test_rankings_that_agree_name_no_pair(ranked):
    shared = ranked("shared", full=0.9, frozen=0.6)
    page = "\n".join(section("smollm2", 4e-5, shared, shared))
    assert "1 are told apart by both rankings" in page and "against" not in page
    assert "How many trials" not in page  # nothing was tuned


def test_one_row_is_no_ranking(ranked):
    with pytest.raises(SystemExit, match="fewer than two rows"):
        ranked("alone", full=0.9)


def test_another_number_of_trials_makes_another_ranking_in_the_same_folder(ranked):
    ranked("tuned", trials=2, full=0.6, frozen=0.9, multitask=0.6)
    found = ranked("tuned", trials=4, full=0.9, frozen=0.6, multitask=0.6)
    assert found.better("full", "frozen") and found.better("frozen", "multitask") is None
    assert [found.place(name) for name in ("full", "frozen", "multitask")] == ["1", "2-3", "2-3"]


def test_several_rows_of_a_strategy_are_refused(make, ranked, tmp_path):
    make.kept(tmp_path / "shared", [make.record("full", 0, 0.9, hyperparameters={"learning_rate": 1e-3})])
    with pytest.raises(SystemExit, match="shared: a strategy has several rows of smollm2, of other settings; name another fo"):
        ranked("shared", full=0.9, frozen=0.6)
