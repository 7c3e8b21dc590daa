"""baselines/fairness.py: what its page says of two rankings, from records that are made up."""

import re
from types import SimpleNamespace

import pytest

from baselines.fairness import found_by_trials, in_short, ranking, section
from bench.records.record import BestAfter, TrialSummary, Tuning


@pytest.fixture
def ranked(make, tmp_path):
    def ranked(name, trials=0, curve=(), **scores):
        search = Tuning(trials=trials, expected_best=list(curve))
        tuned = {"tuning": search, "inputs": {"search": {"trials": trials}}} if trials else {}
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


def test_the_page_names_each_machine_that_its_runs_were_done_on(make, tmp_path):
    """Planted fault: the page was made on one processor, and a reader on another wondered at every digit."""

    def kept(folder, **changes):
        device = {"name": "AMD EPYC", "threads": 2, "precision": "bf16"} | changes
        make.kept(tmp_path / folder, [make.record(name, 0, 0.7, device=device) for name in ("full", "frozen")])
        return ranking(tmp_path / folder, "smollm2", 0)

    one, other = kept("one"), kept("other", name="Xeon", precision="fp32")
    alone, both = ("\n".join(section("smollm2", 4e-5, one, second)) for second in (one, other))
    assert "Run on AMD EPYC (2 threads, bf16). Another" in alone
    assert "Run on AMD EPYC (2 threads, bf16) and Xeon (2 threads, fp32). Another" in both


def test_the_smallest_difference_has_its_range_and_its_family(make, tmp_path):
    """As below every table: without them a reader can't tell how well it is known, nor of how many pairs it is told."""
    scores = {"full": 0.8, "frozen": 0.7, "multitask": 0.6}
    make.kept(tmp_path, [make.record(name, seed, score + 0.02 * seed) for name, score in scores.items() for seed in range(3)])
    found = ranking(tmp_path, "smollm2", 0)
    page = "\n".join(section("smollm2", 4e-5, found, found))
    for name in ("one rate for all", "tuning"):
        told = (
            rf"With {name}: smallest detectable difference: [\d.]+ points \(80 % range [\d.]+ to [\d.]+\), after Holm over all "
        )
        assert re.search(told + r"3 pairs\.", page)


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


def curve_of(*values, high=None):
    """The default, and the expected best after each further trial; the upper end is open where nothing is said."""
    ends = [(values[0], values[0]), *((values[0], high) for _ in values[1:])]
    return [
        BestAfter(trials=number, expected=value, low=low, high=top)
        for number, (value, (low, top)) in enumerate(zip(values, ends, strict=True), start=1)
    ]


def test_the_curve_of_each_strategy_has_its_intervals_and_a_sentence(ranked):
    tuned = ranked("tuned", trials=4, curve=curve_of(0.723, 0.727, 0.729, 0.731), full=0.9, frozen=0.6)
    page = "\n".join(section("smollm2", 4e-5, ranked("shared", full=0.9, frozen=0.6), tuned))
    assert "| full | .723 | .727 [.723, –] | .729 [.723, –] | .731 [.723, –] | +0.2 points |" in page
    for name in ("full", "frozen"):
        told = f"- {name}: the default has .723, and no other trial did better. The last trial is expected to add 0.2 points."
        assert told in page.splitlines()
    assert "They can't say. 3 random draws all miss the best fifth of a space in 51 % of all searches" in page
    bounded = ranked("bounded", trials=2, curve=curve_of(0.7, 0.74, high=0.76), full=0.9, frozen=0.6)
    assert "| .740 [.700, .760] |" in "\n".join(section("smollm2", 4e-5, bounded, bounded))


def test_what_a_search_found_is_its_best_trial_and_never_that_it_was_enough(ranked):
    """Planted fault: the wider the interval of the test's score was, the surer was the page that one trial was enough."""
    curve = curve_of(0.7, 0.72, 0.735)
    tried = [TrialSummary(ids=["a"], hyperparameters={}, status="ok", score=score) for score in (0.7, 0.75, 0.6)]
    row = ranked("tuned", full=0.9, frozen=0.6).rows["full"]
    setup = row.setup.model_copy(update={"tuning": Tuning(trials=3, tried=tried, expected_best=curve)})
    row = SimpleNamespace(setup=setup, quantity=row.quantity, higher_is_better=True)
    told = "full: the default has .700, the best of 3 trials .750. The last trial is expected to add 1.5 points."
    assert found_by_trials("full", curve, row) == told


def test_a_pair_of_a_row_whose_seeds_vary_by_far_more_is_told_with_that(make, tmp_path):
    """Planted fault: what the table's caption says of such a row stood nowhere on the page."""
    scores = {"full": (0.9, 0.9, 0.91), "frozen": (0.9, 0.91, 0.9), "lora": (0.9, 0.91, 0.91), "multitask": (0.5, 0.6, 0.4)}
    make.kept(tmp_path, [make.record(name, seed, score) for name, each in scores.items() for seed, score in enumerate(each)])
    found = ranking(tmp_path, "smollm2", 0)
    assert found.loud(["full", "multitask"]) == ["multitask"] and found.better("full", "multitask")
    assert re.search(r"Only more seeds can say that (full and multitask|multitask and full) differ: multitask varies by far",
                     in_short("smollm2", found, found))  # fmt: skip
    assert "multitask: seeds move it " in "\n".join(section("smollm2", 4e-5, found, found))


def test_no_curve_says_nothing_of_trials(ranked):
    """TPE's trials are no independent draws."""
    row = ranked("tuned", full=0.9, frozen=0.6).rows["full"]
    for curve in ([], curve_of(0.7), curve_of(0.7, 0.71, 0.72)[1:]):  # of a default that failed
        assert (
            found_by_trials("full", curve, row)
            == "full: without a curve of several trials nothing is said of how many it needs."
        )


def test_rows_of_unlike_curves_fill_the_table(make, tmp_path):
    """Planted fault: a row without a curve had fewer cells than the table's head."""
    records = [
        make.record(name, seed, score, tuning=Tuning(trials=4, expected_best=curve), inputs={"search": {"trials": 4}})
        for name, score, curve in (("full", 0.9, curve_of(0.7, 0.71, 0.72, 0.73)), ("frozen", 0.6, []))
        for seed in range(3)
    ]
    make.kept(tmp_path / "mixed", records)
    mixed = ranking(tmp_path / "mixed", "smollm2", 4)
    page = "\n".join(section("smollm2", 4e-5, mixed, mixed))
    table = page[page.index("| strategy | k = 1") :].splitlines()[:4]
    assert {line.count("|") for line in table} == {7} and "| frozen | – | – | – | – | – |" in table
    assert "- frozen: without a curve" in page
