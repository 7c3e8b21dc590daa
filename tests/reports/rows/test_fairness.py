"""Tables that compare like with like, and what is said or refused where they don't; records made up here."""

import pytest

from bench.errors import UserError
from bench.records.outcome import BestBase, Gain
from bench.records.record import Tuning
from reports.rows.fairness import check_comparable, overrun, unfair, unlike
from reports.rows.rows import aggregate

TASK = {"name": "sst2", "prompt": "Review: {text}", "answers": {"good": "good"}, "instructions": {}}


def rows_of(*records):
    return aggregate(records)


def pair(make, **changes):
    """Two rows that differ in `changes` alone."""
    return make.record("full")[0], make.changed(make.record("frozen", trainable=1_000)[0], **changes)


def differing(*records):
    return {each.aspect: each.refuses for each in unlike(rows_of(*records))}


def scored(record, **changes):
    return record.outcome.score.model_copy(update=changes)


def with_task(record, **changes):
    return record.model_copy(
        update={
            "provenance": record.provenance.model_copy(
                update={"inputs": {**record.provenance.inputs, "task": {**TASK, **changes}}}
            )
        }
    )


def test_a_whole_suite_is_alike(make):
    records = [record for record, _ in make.suite(seeds=3)]
    assert differing(*records) == {} and list(unfair(rows_of(*records))) == []
    check_comparable(rows_of(*records))


def test_variants_of_one_strategy_are_alike(make):
    variants = [make.record("full", hyperparameters={"learning_rate": rate})[0] for rate in (1e-5, 2e-5)]
    assert len(rows_of(*variants)) == 2 and differing(*variants) == {}


def test_rows_that_train_nothing_have_no_budget_and_no_trials(make):
    untrained = make.changed(make.record("zero-shot", trainable=0)[0], budget="64examples")
    assert differing(make.changed(make.record("full")[0], tuning=tuned(4)), untrained) == {}


def test_a_run_that_failed_is_not_compared(make):
    assert differing(make.record("full")[0], make.changed(make.failed("frozen"), budget="1examples", engine_version=9)) == {}


def tuned(trials):
    return Tuning(trials=trials)


@pytest.mark.parametrize(
    ("aspect", "changes"),
    [
        ("data", {"data_hash": "ef" * 32}),
        ("engine version", {"engine_version": 4}),
        ("precision", {"device": {"type": "cuda", "precision": "bf16"}}),
        ("precision", {"environment": {"precision": "bf16"}}),
    ],
)
def test_another_question_is_refused(make, aspect, changes):
    one, other = pair(make, **changes)
    assert differing(one, other) == {aspect: True}
    with pytest.raises(
        UserError, match=f"sentiment: smollm2 on sst2: the rows answer different questions: {aspect} differs: .*--allow-unequal"
    ):
        check_comparable(rows_of(one, other))
    (said,) = unfair(rows_of(one, other))
    assert said.startswith(f"not the same question: {aspect} differs: ") and "(full)" in said and "(frozen)" in said


def test_other_items_are_refused(make):
    one, other = pair(make)
    other = make.changed(other, score=scored(other, n=100))
    assert differing(one, other) == {"number of items": True}
    assert "200 (full), 100 (frozen)" in next(unfair(rows_of(one, other)))


def test_other_items_of_a_probe_are_refused(make):
    one, other = pair(make)
    forgetting = {
        name: probe.model_copy(update={"n": 32}) if name == "lambada" else probe
        for name, probe in other.outcome.forgetting.items()
    }
    assert differing(one, make.changed(other, forgetting=forgetting)) == {"items of lambada": True}


def test_another_metric_is_refused(make):
    one, other = pair(make)
    assert differing(one, make.changed(other, score=scored(other, name="f1_macro"))) == {"metric": True}


@pytest.mark.parametrize(
    "words", [{"prompt": "Film: {text}"}, {"answers": {"good": "great"}}, {"instructions": {"test": ["Judge. {text}"]}}]
)
def test_other_words_of_the_task_are_refused(make, words):
    one, other = (with_task(record) for record in pair(make))
    assert differing(one, other) == {}
    assert differing(one, with_task(other, **words)) == {"wording of the task": True}


def test_another_best_wording_of_the_base_is_refused(make):
    one, other = pair(make)
    plain, instructed = (BestBase(style=style, score=0.6, gain=Gain(value=0.1)) for style in ("plain", "instruction"))
    assert differing(make.changed(one, best_base=plain), make.changed(other, best_base=plain)) == {}
    assert differing(make.changed(one, best_base=plain), make.changed(other, best_base=instructed)) == {
        "best wording of the base": True
    }


@pytest.mark.parametrize(
    ("aspect", "changes", "said"),
    [
        ("budget", {"budget": "1024examples"}, "512examples (full), 1024examples (frozen)"),
        ("budget", {"budget": None}, "512examples (full), not known (frozen)"),
        ("number of trials", {"tuning": tuned(4)}, "0 (full), 4 (frozen)"),
        ("number of trials", {"tuning": tuned(None)}, "0 (full), not known (frozen)"),
    ],
)
def test_another_chance_is_marked_and_not_refused(make, aspect, changes, said):
    one, other = pair(make, **changes)
    assert differing(one, other) == {aspect: False}
    check_comparable(rows_of(one, other))
    assert list(unfair(rows_of(one, other))) == [f"not the same chance: {aspect} differs: {said}"]


def test_what_is_not_known_of_the_question_differs_from_nothing(make):
    assert differing(*pair(make, data_hash=None, engine_version=None, device={}, environment={})) == {}


def test_tables_are_apart(make):
    """Another suite, model or task may be of another engine."""
    check_comparable(rows_of(*pair(make, engine_version=4, model="minilm")))


def spending(make, budget, **spent):
    record = make.record("full")[0]
    return make.changed(record, budget=budget, cost=record.cost.model_copy(update=spent))


@pytest.mark.parametrize(
    ("budget", "spent", "over"),
    [
        ("512examples", {"train_examples": 512}, None),
        ("512examples", {"train_examples": 513}, "spent 513 examples of a budget of 512"),
        ("80ktokens", {"train_tokens": 80_000}, None),
        ("80ktokens", {"train_tokens": 80_001}, "spent 80,001 tokens of a budget of 80,000"),
        ("3TFLOP", {"useful_flops": 3_000_000_000_000}, None),
        ("3TFLOP", {"useful_flops": 3_000_001_000_000}, "spent 3,000,001,000,000 FLOP of a budget of 3,000,000,000,000"),
        ("90s", {"train_seconds": 91.8}, None),
        ("90s", {"train_seconds": 91.9}, "spent 91.9 s of a budget of 90.0"),
        ("4GB", {"peak_memory_bytes": 4_000_000_001}, "spent 4,000,000,001 B of a budget of 4,000,000,000"),
        ("2steps", {}, None),
        ("1steps", {}, "spent 2 steps of a budget of 1"),
        ("512examples,90s", {"train_examples": 512, "train_seconds": 95.0}, "spent 95.0 s of a budget of 90.0"),
        (None, {"train_examples": 10**9}, None),
        ("512examples", {"train_examples": None}, None),
    ],
)
def test_a_run_that_spent_more_is_marked(make, budget, spent, over):
    assert list(overrun(spending(make, budget, **spent))) == ([over] if over else [])


def test_each_stage_has_the_whole_budget(make):
    staged = spending(make, "512examples", train_examples=1024)
    inputs = {**staged.provenance.inputs, "earlier": [{"name": "rte"}]}
    staged = make.changed(staged, inputs=inputs)
    assert list(overrun(staged)) == []
    assert list(overrun(make.changed(staged, inputs={**inputs, "earlier": []}))) != []


def test_who_spent_more_is_named_with_its_seed(make):
    record = make.record("full", seed=1)[0]
    over = make.changed(record, cost=record.cost.model_copy(update={"train_examples": 600}))
    assert list(unfair(rows_of(over))) == ["full (seed 1): spent 600 examples of a budget of 512"]
