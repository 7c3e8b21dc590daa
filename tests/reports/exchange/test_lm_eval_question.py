"""What a file of the harness tells of its question: rows that were asked otherwise are refused, or marked."""

import pytest

from reports.exchange.lm_eval_results import Named, read_lm_eval
from reports.rows.fairness import unfair, unlike
from reports.rows.rows import aggregate

SUM = {
    "doc_to_text": "{{q}}",
    "metric_list": [{"metric": "exact_match", "ignore_case": True}, {"metric": "f1"}],
    "filter_list": [{"name": "strict", "filter": [{"function": "regex", "regex_pattern": "#### (.*)"}]}, {"name": "loose"}],
    "fewshot_split": "train",
    "repeats": 1,
}
ASKED = "data or settings of answers"


def of_sums(harness_file, strategy, **told):
    """The row of the task `sums`, which is asked after five solved examples."""
    records = [record for record, _ in read_lm_eval(harness_file(**told), Named(strategy=strategy))]
    return next(record for record in records if record.setup.task == "sums")


def compared(harness_file, **changed):
    told = {"configs__sums": SUM, "task_hashes": {"sums": "a"}}
    return aggregate([of_sums(harness_file, name, **told | more) for name, more in (("one", {}), ("other", changed))])


@pytest.mark.parametrize(
    "changed",
    [
        {"dataset_kwargs": {"revision": "old"}},
        {"dataset_kwargs": {"data_files": "easy.json", "trust_remote_code": True}},
        {"process_docs": "def process_docs(docs): return docs.filter(easy)"},
        {"repeats": 64},
        {"metric_list": [{"metric": "exact_match", "ignore_case": False}]},
        {"filter_list": [{"name": "strict", "filter": [{"function": "regex", "regex_pattern": "(.*)"}]}]},
    ],
)
def test_other_data_and_another_way_to_read_answers_are_refused(harness_file, changed):
    """Planted fault: they were compared without a word."""
    found = unlike(compared(harness_file, configs__sums=SUM | changed))
    assert [(each.aspect, each.refuses) for each in found] == [(ASKED, True)]


@pytest.mark.parametrize(
    "changed",
    [
        {"dataset_kwargs": {"trust_remote_code": True}},
        {"dataset_kwargs": None},
        {"metric_list": [*SUM["metric_list"], {"metric": "bleu"}]},
        {"filter_list": [SUM["filter_list"][0]]},
        {"process_docs": None},
    ],
)
def test_what_changes_no_score_is_no_difference(harness_file, changed):
    assert unlike(compared(harness_file, configs__sums=SUM | changed)) == []


def test_a_function_s_place_in_memory_is_no_other_data(harness_file):
    rows = [
        of_sums(harness_file, place, configs__sums=SUM | {"process_docs": f"<function easy at {place}>"})
        for place in ("0x7f7543bd14e0", "0x7fc2d8bb14e0")
    ]
    assert unlike(aggregate(rows)) == []


@pytest.mark.parametrize(
    ("changed", "there"),
    [
        ({"n-shot__sums": 0}, "0"),
        ({"config__fewshot_seed": 7}, r"5 ("),
        ({"configs__sums": SUM | {"fewshot_split": "test"}}, r"5 ("),
        ({"configs__sums": SUM | {"fewshot_config": {"sampler": "first_n"}}}, r"5 ("),
    ],
)
def test_other_solved_examples_are_told(harness_file, changed, there):
    """Few-shot is a strategy of its own, so that rows with it and without it may stand side by side."""
    (said,) = unfair(compared(harness_file, **changed, task_hashes={"sums": "b"}))
    assert said.startswith("not the same chance: solved examples differs: 5 (") and f", {there}" in said


def test_other_prompts_after_the_same_solved_examples_are_refused(harness_file):
    (found,) = unlike(compared(harness_file, task_hashes={"sums": "b"}))
    assert found.refuses and found.aspect.startswith("prompts after 5 (")
    assert unlike(compared(harness_file, task_hashes={})) == [] == unlike(compared(harness_file, task_hashes=None))
