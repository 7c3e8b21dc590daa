"""PEFT's result files as records: every number by hand, and each fault by its name."""

import pytest
from scipy.stats import binomtest

from bench.errors import FormatError
from reports.exchange.peft_results import read_peft_result
from reports.rows.fairness import unlike
from reports.rows.rows import aggregate


def test_every_number_is_where_it_belongs(peft_file):
    record = read_peft_result(peft_file())
    assert record.status == "ok" and record.reason is None
    setup = record.setup
    assert (setup.suite, setup.model, setup.task) == ("peft-method-comparison", "meta-llama/Llama-3.2-3B", "gsm8k")
    assert (setup.strategy, setup.seed, setup.budget, setup.tuning.trials) == ("lora/rank8", 0, "5000steps", None)
    assert setup.hyperparameters["peft"] == {"peft_type": "LORA", "r": 8}
    assert setup.hyperparameters["optimizer_kwargs"]["lr"] == 1e-4
    score = record.outcome.score
    assert (score.name, score.value, score.n, score.share) == ("accuracy", 660 / 1319, 1319, True)
    expected = binomtest(660, 1319).proportion_ci(method="wilson")
    assert (score.ci_low, score.ci_high) == pytest.approx((expected.low, expected.high))
    lost = record.outcome.forgetting["peft-wikipedia"]
    assert lost.delta == 0.125 and not lost.higher_is_better and (lost.before, lost.after, lost.n, lost.ci_low) == (None,) * 4
    assert record.outcome.base_score is record.outcome.gain is None
    cost = record.cost
    assert (cost.train_examples, cost.train_tokens, cost.train_seconds) == (20_000, 4_000_000, 612.25)
    assert (cost.peak_memory_bytes, cost.saved_bytes) == (22_000_000_000, 9_000_000)
    assert (cost.trainable_parameters, cost.total_parameters) == (2_000_000, 3_214_000_000)
    assert (cost.train_flops, cost.eval_seconds, cost.probe_seconds) == (None, None, None)
    origin = record.provenance
    assert origin.versions == {"peft": "0.19.0", "torch": "2.9.0"}
    assert origin.device == {"precision": "bf16", "name": "NVIDIA L40S"}
    assert origin.started == "2026-05-01T10:00:00+00:00" and origin.engine_version is origin.data_hash is None
    assert (origin.source.whose, origin.source.interval) == ("peft-method-comparison", "binomial")
    assert origin.source.file == "lora--llama-3.2-3B-rank8.json"


def test_older_files_name_memory_and_device_otherwise(peft_file, absent):
    path = peft_file(
        train_info__accelerator_memory_max=absent,
        train_info__cuda_memory_max=5,
        meta_info__system_info={"gpu": "NVIDIA T4"},
        train_info__num_total_params=absent,
    )
    record = read_peft_result(path)
    assert record.cost.peak_memory_bytes == 5 and record.provenance.device["name"] == "NVIDIA T4"
    assert record.cost.total_parameters is None


def test_what_is_not_said_is_not_zero(peft_file, absent):
    path = peft_file(**{
        "train_info.metrics.1.forgetting": absent,
        "train_info.metrics.1.train total tokens": absent,
        "train_info.num_trainable_params": absent,
        "train_info.file_size": 99_999_999,  # what PEFT writes where it found none
    })  # fmt: skip
    record = read_peft_result(path)
    assert record.outcome.forgetting == {}
    assert (record.cost.train_tokens, record.cost.trainable_parameters, record.cost.saved_bytes) == (None, None, None)


def test_full_fine_tuning_has_no_adapter(peft_file):
    path = peft_file(run_info__peft_config=None, run_info__experiment_name="full-finetuning/llama-3.2-3B-lr_0.00001")
    record = read_peft_result(path)
    assert "peft" not in record.setup.hyperparameters and record.setup.strategy == "full-finetuning/lr_0.00001"


def test_what_training_made_of_a_setting_is_told_by_its_size(peft_file):
    ranks = {f"layer.{number}": [True, False] * 32 for number in range(56)}  # as AdaLoRA's file holds them
    record = read_peft_result(peft_file(run_info__peft_config__rank_pattern=ranks))
    assert record.setup.hyperparameters["peft"]["rank_pattern"] == "3,584 values"


def test_a_run_that_failed_keeps_its_reason(peft_file):
    path = peft_file(train_info__status="canceled", train_info__metrics=[], run_info__error_msg="CUDA out of memory")
    record = read_peft_result(path)
    assert (record.status, record.reason, record.outcome, record.cost) == ("failed", "CUDA out of memory", None, None)


@pytest.mark.parametrize(
    ("aspect", "refuses", "name", "values"),
    [
        ("wording of the task", True, "query_template", ("Question: {query}\nAnswer:", "{query}")),
        ("data or settings of answers", True, "generation_kwargs", ({"max_length": 800}, {"max_length": 80})),
        ("batch", False, "batch_size", (4, 32)),
        ("max_length", False, "max_seq_length", (768, 256)),
    ],
)
def test_runs_that_were_asked_or_fed_otherwise_are_told(peft_file, aspect, refuses, name, values):
    """Planted fault: one was "better than all others" because it was asked in other words, and nothing said so."""
    place = f"run_info__train_config__{name}"
    rows = aggregate([read_peft_result(peft_file(run_info__experiment_name=f"lora/{n}", **{place: value}))
                      for n, value in enumerate(values)])  # fmt: skip
    assert [(each.aspect, each.refuses) for each in unlike(rows)] == [(aspect, refuses)]


@pytest.mark.parametrize(
    ("aspect", "place", "values"),
    [
        ("commits of model and data", "meta_info__model_info", ({"sha": "13afe512" * 5}, {"sha": "f" * 40})),
        (
            "commits of model and data",
            "meta_info__dataset_info",
            ({"gsm8k": {"sha": "e53f0488"}}, {"gsm8k": {"sha": "740312ad"}}),
        ),
        ("version of PEFT", "meta_info__package_info__peft-version", ("0.15.2", "0.19.0")),
    ],
)
def test_other_commits_and_versions_are_marked(peft_file, aspect, place, values):
    """Planted fault: rows of other data were compared without a word. A commit may as well have changed a page alone."""
    rows = aggregate([read_peft_result(peft_file(run_info__experiment_name=f"lora/{n}", **{place: value}))
                      for n, value in enumerate(values)])  # fmt: skip
    assert [(each.aspect, each.refuses) for each in unlike(rows)] == [(aspect, False)]


def test_the_id_is_the_contents(peft_file):
    one, other = read_peft_result(peft_file()), read_peft_result(peft_file("renamed.json"))
    assert one.run_id == other.run_id
    assert read_peft_result(peft_file(train_info__train_time=1.0)).run_id != one.run_id
    assert read_peft_result(peft_file(), suite="ours").run_id != one.run_id


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        ("train_info", "ABSENT", "train_info: is missing"),
        ("train_info", [1], r"train_info: \[1\] is not an object"),
        ("train_info.metrics", [], r"train_info.metrics: \[\] is not a list with something in it"),
        ("train_info.metrics.1.test accuracy", "ABSENT", r"train_info.metrics\[-1\].test accuracy: is missing"),
        ("train_info.metrics.1.test accuracy", 50.1, "50.1 is not a number from 0 to 1"),
        ("train_info.metrics.1.test accuracy", True, "true is not a finite number"),
        ("train_info.metrics.1.test accuracy", float("nan"), "NaN is not a finite number"),
        ("train_info.metrics.1.test accuracy", 0.5, "0.5 is no share of the 1,319 test questions"),
        ("train_info.metrics.1.train samples", 1.5, "1.5 is not a whole number"),
        ("train_info.train_time", -1, "-1 is not a number from 0 to inf"),
        ("train_info.train_time", "12", '"12" is not a finite number'),
        ("train_info.accelerator_memory_max", "ABSENT", "train_info.cuda_memory_max: is missing"),
        ("run_info.experiment_name", "a\nb", r"run_info.experiment_name: .* is not a text on one line"),
        ("run_info.peft_config.r", float("inf"), "is not an object of finite numbers"),
        ("run_info.train_config.seed", None, "run_info.train_config.seed: is missing"),
    ],
)
def test_a_fault_is_named(peft_file, absent, place, value, said):
    path = peft_file(**{place: absent if isinstance(value, str) and value == "ABSENT" else value})
    with pytest.raises(FormatError, match=said):
        read_peft_result(path)
