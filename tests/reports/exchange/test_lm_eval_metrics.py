"""Which metric of the harness' is the score, and what its interval is made of."""

import pytest
from scipy.stats import binomtest

from reports.exchange.lm_eval_results import read_lm_eval


def by_task(path):
    return {record.setup.task: (record, items) for record, items in read_lm_eval(path)}


def test_the_score_is_what_the_task_lists_first(harness_file):
    score = by_task(harness_file())["riddles"][0].outcome.score
    assert (score.name, score.value, score.n) == ("acc_norm", 0.5, 4)


def test_without_samples_right_or_wrong_is_binomial(harness_file):
    record, _ = by_task(harness_file())["sums"]
    strict, loose = record.outcome.metrics["exact_match (strict)"], record.outcome.metrics["exact_match (loose)"]
    assert record.outcome.score == strict and strict.share
    for score, right in ((strict, 1), (loose, 2)):
        expected = binomtest(right, 4).proportion_ci(method="wilson")
        assert (score.ci_low, score.ci_high) == pytest.approx((expected.low, expected.high))
    assert record.provenance.source.interval == "binomial"


def test_without_samples_another_metric_has_its_standard_error_or_none(harness_file):
    record, _ = by_task(harness_file())["essays"]
    rouge, bleu = record.outcome.metrics["rougeL"], record.outcome.metrics["bleu"]
    assert (rouge.ci_low, rouge.ci_high) == pytest.approx((31.5 - 1.959964 * 2, 31.5 + 1.959964 * 2))
    assert not rouge.share and (bleu.ci_low, bleu.ci_high, bleu.higher_is_better) == (None, None, False)
    assert record.provenance.source.interval == "standard error"


def test_only_the_scores_filter_is_read(harness_file):
    lines = [
        {
            "doc_id": n,
            "target": "7",
            "filtered_resps": [f"{n}"],
            "filter": how,
            "metrics": ["exact_match"],
            "exact_match": right,
        }
        for how, rights in (("loose", (1.0, 1.0, 0.0, 0.0)), ("strict", (1.0, 0.0, 0.0, 0.0)))
        for n, right in enumerate(rights)
    ]
    record, items = by_task(harness_file({"sums": lines}))["sums"]
    assert len(items) == 4 and items["exact_match"].mean() == 0.25
    loose = record.outcome.metrics["exact_match (loose)"]
    expected = binomtest(2, 4).proportion_ci(method="wilson")
    assert (loose.ci_low, loose.ci_high) == pytest.approx((expected.low, expected.high))


def test_a_metric_that_is_no_mean_of_its_items_has_no_interval_of_them(harness_file):
    shared = {"target": "a", "filtered_resps": "b", "filter": "none", "metrics": ["rougeL", "bleu"]}
    lines = [{"doc_id": n, **shared, "rougeL": 0.1, "bleu": [1, 2]} for n in range(4)]
    record, items = by_task(harness_file({"essays": lines}))["essays"]
    assert record.outcome.metrics["rougeL"].ci_low == pytest.approx(31.5 - 1.959964 * 2) and "bleu" not in items
    assert record.provenance.source.interval == "standard error"


LENGTHS = {
    "results__essays": {"alias": "essays", "4096,none": -1, "4096_stderr,none": "N/A", "8192,none": 0.75, "16384,none": 0.5},
    "configs__essays": {"metric_list": [{"metric": length} for length in ("4096", "8192", "16384")]},
    "higher_is_better__essays": dict.fromkeys(("4096", "8192", "16384"), True),
}
"""Of RULER, which asked two lengths."""


def test_a_length_without_items_is_no_metric(harness_file):
    """Planted fault: -1, the mark for it, was the score."""
    outcome = by_task(harness_file(**LENGTHS))["essays"][0].outcome
    assert (outcome.score.name, outcome.score.value, outcome.score.n) == ("8192", 0.75, 4)
    assert list(outcome.metrics) == ["8192", "16384"]


def test_a_length_s_number_is_of_the_items_of_that_length(harness_file):
    shared = {"target": "a", "filtered_resps": "b", "filter": "none"}
    lines = [
        {"doc_id": n, **shared, "metrics": ["4096", length], "4096": -1.0, length: right}
        for n, (length, right) in enumerate([("8192", 1.0), ("8192", 0.5), ("16384", 1.0), ("16384", 0.0)])
    ]
    record, items = by_task(harness_file({"essays": lines}, **LENGTHS))["essays"]
    long = record.outcome.metrics["16384"]
    assert (long.n, long.value, long.share) == (2, 0.5, True) and record.provenance.source.interval == "items"
    assert "4096" not in items and items["8192"].notna().tolist() == [True, True, False, False]


def test_minus_one_is_a_value_of_any_other_metric(harness_file):
    record, _ = by_task(harness_file(results__essays={"mcc,none": -1}, higher_is_better__essays={"mcc": True}))["essays"]
    assert record.outcome.score.value == -1


def test_partly_right_answers_have_the_harness_own_error(harness_file):
    """Planted fault: of truthfulqa_mc2, whose items are shares of probability, the interval was binomial."""
    record, _ = by_task(harness_file(results__sums={"exact_match,strict": 0.9, "exact_match_stderr,strict": 0.06}))["sums"]
    score = record.outcome.score
    assert (score.ci_low, score.ci_high) == pytest.approx((0.9 - 1.959964 * 0.06, 1.0)) and score.share
    assert record.provenance.source.interval == "standard error"


@pytest.mark.parametrize("error", [0.2886751, 0.2887, 0.29])
def test_a_rounded_error_of_zeros_and_ones_is_one(harness_file, error):
    record, _ = by_task(harness_file(results__sums={"exact_match,strict": 0.5, "exact_match_stderr,strict": error}))["sums"]
    assert record.provenance.source.interval == "binomial"


ESTIMATED = {
    "results__riddles": {"acc_norm,none": 0.6, "acc_norm_stderr,none": "N/A"},
    "configs__riddles": {"metric_list": [{"metric": "acc_norm", "aggregation": "def agg_gpirt_arc(items): ..."}]},
}
"""As tinyBenchmarks' tasks."""


def test_answers_that_are_not_the_mean_are_no_fault_where_no_error_says_that_they_were(harness_file, riddle_lines):
    changes = {"acc_norm,none": 0.6, "acc_norm_stderr,none": "N/A"}
    record, _ = by_task(harness_file({"riddles": riddle_lines()}, results__riddles=changes))["riddles"]
    assert record.outcome.score.ci_low is None and record.provenance.source.interval == "none"


@pytest.mark.parametrize("answered", [True, False])
def test_an_estimate_of_all_items_at_once_has_no_interval_of_them(harness_file, riddle_lines, answered):
    """Planted fault: with samples the file was refused, and without them the interval was binomial."""
    path = harness_file({"riddles": riddle_lines()} if answered else None, **ESTIMATED)
    record, items = by_task(path)["riddles"]
    score = record.outcome.score
    assert (score.value, score.ci_low, score.ci_high, score.share) == (0.6, None, None, True)
    assert record.provenance.source.interval == "none" and (items is not None) == answered


def test_answers_that_are_partly_right_and_give_another_mean_are_no_fault(harness_file, riddle_lines):
    changes = {"acc_norm,none": 0.6, "acc_norm_stderr,none": 0.1}
    record, _ = by_task(harness_file({"riddles": riddle_lines()}, results__riddles=changes))["riddles"]
    assert record.outcome.score.ci_low == pytest.approx(0.6 - 1.959964 * 0.1)
    assert record.provenance.source.interval == "standard error"


def told(path):
    left_out = []
    return {record.setup.task: record for record, _ in read_lm_eval(path, left_out=left_out)}, left_out


def test_a_metric_without_a_value_or_a_direction_is_left_out_and_named(harness_file):
    """Planted fault: the file's other metrics and tasks were left out with it."""
    path = harness_file(
        **{"results.essays.rougeL,none": float("nan"), "results.essays.rougeL_stderr,none": float("nan")},
        higher_is_better__riddles={"acc": True, "acc_norm": None},
    )
    found, left_out = told(path)
    assert set(found) == {"riddles", "essays", "sums"} and found["essays"].outcome.score.name == "bleu"
    assert found["riddles"].outcome.score.name == "acc" and len(found["riddles"].outcome.metrics) == 1
    assert left_out == [
        f"{path.name}: higher_is_better.riddles.acc_norm: is missing; it is left out",
        f"{path.name}: results.essays.rougeL,none: NaN is not a number; it is left out",
    ]


def test_a_task_without_any_metric_left_is_left_out_and_named(harness_file):
    nothing = {"4096,none": -1}
    found, left_out = told(harness_file(results__essays=nothing, higher_is_better__sums={"exact_match": "yes"}))
    assert set(found) == {"riddles"}
    assert [sentence.split(": ", 1)[1] for sentence in left_out] == [
        "results.essays: holds no metric that was measured; it is left out",
        'higher_is_better.sums.exact_match: "yes" is not true or false; it is left out',
        "results.sums: holds no metric that was measured; it is left out",
    ]


def test_a_standard_error_that_is_no_number_is_none(harness_file):
    record, _ = by_task(harness_file(**{"results.essays.rougeL_stderr,none": float("nan")}))["essays"]
    assert record.outcome.score.ci_low is None and record.provenance.source.interval == "none"
