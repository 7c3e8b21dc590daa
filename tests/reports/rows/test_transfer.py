"""A mixture against each of its tasks alone: which run it is held against, on which items, and with which sign."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bench.measuring.scoring import scores
from bench.records.record import Tuning
from bench.records.store import as_text
from bench.statistics.intervals import Spread
from reports.rows import transfer
from reports.rows.spreads import spreads_of


def compared(make, out, pairs: list) -> list[transfer.Transfer]:
    """The transfers of the first record; the others are what it may be held against."""
    found = make.kept(out, pairs)
    return transfer.between(found[:1], found, out)


def test_rise_and_its_interval_are_those_of_the_shared_items(make, out):
    mixture, alone = make.mixture(count=64), make.alone()
    (found,) = compared(make, out, [mixture, alone])
    mine = mixture[1][mixture[1]["kind"] == "elsewhere"]
    theirs = alone[1][alone[1]["kind"] == "task"].head(64)
    assert mine["item"].tolist() == theirs["item"].tolist()
    right = [(frame["prediction"] == frame["gold"]).to_numpy(float) for frame in (mine, theirs)]
    rises = right[0] - right[1]
    low, high = stats.t.interval(0.95, 63, rises.mean(), np.hypot(stats.sem(rises), 1 / 64))  # one more answer that turned
    assert (found.rise.value, found.rise.low, found.rise.high) == pytest.approx((rises.mean(), low, high)) and low < 0
    assert found.together == pytest.approx((mine["prediction"] == mine["gold"]).mean())
    assert found.alone == pytest.approx((theirs["prediction"] == theirs["gold"]).mean()) != alone[0].outcome.score.value
    assert (found.task, found.items, found.strategy, found.suite) == ("rte", 64, "instruction", "entailment")
    assert found.rise.basis == "items" and found.alone_as("sentiment", 1) == "instruction of suite entailment"


def test_items_are_paired_by_id_and_not_by_place(make, out):
    mixture, alone = make.mixture(), make.alone()
    shuffled = (alone[0], alone[1].sample(frac=1, random_state=3))
    assert compared(make, out / "a", [mixture, alone]) == compared(make, out / "b", [mixture, shuffled])


def test_own_task_is_compared_too(make, out):
    mixture = make.mixture()
    alone = make.record("full", 0, 0.85, inputs=mixture[0].provenance.inputs | {"others": []})
    (found,) = compared(make, out, [mixture, alone])
    assert (found.task, found.strategy, found.items) == ("sst2", "full", 200)
    assert found.rise.value == pytest.approx(-0.05) and found.alone_as("sentiment", 1) == "full"


def test_same_wording_is_preferred_and_then_the_nearest_settings(make, out):
    mixture = make.mixture(hyperparameters={"learning_rate": 3e-5, "warmup": 0.1, "tasks": {"rte": 0.2}})
    near = make.alone(accuracy=0.75, hyperparameters={"learning_rate": 3e-5, "warmup": 0.1})
    far = make.alone(accuracy=0.95, hyperparameters={"learning_rate": 1e-5, "warmup": 0.1})
    full = make.alone("full", accuracy=0.9, hyperparameters={"learning_rate": 3e-5, "warmup": 0.1})
    (found,) = compared(make, out, [mixture, full, far, near])
    assert found.strategy == "instruction"
    assert [found] == compared(make, out / "b", [mixture, near])
    (found,) = compared(make, out / "c", [mixture, full])
    assert found.strategy == "full"


def test_as_many_trials_go_before_nearer_settings(make, out):
    """What a mixture was tuned to is nobody else's: a run alone with its settings had no trials of its own."""
    mixture = make.mixture(hyperparameters={"learning_rate": 3e-5, "warmup": 0.1}, tuning=Tuning(trials=4))
    near = make.alone(accuracy=0.75, hyperparameters={"learning_rate": 3e-5, "warmup": 0.1})
    tuned = make.alone(accuracy=0.95, hyperparameters={"learning_rate": 1e-5, "warmup": 0.2}, tuning=Tuning(trials=4))
    assert compared(make, out, [mixture, near, tuned]) == compared(make, out / "b", [mixture, tuned])
    assert len(compared(make, out / "c", [mixture, near])) == 1


@pytest.mark.parametrize(
    "change",
    [
        {"inputs": {"budget": "64examples"}},
        {"inputs": {"placement": "cuda x 1"}},
        {"device": {"precision": "bf16"}},
        {"inputs": {"model": "00" * 32}},
        {"inputs": {"engine": 2}},
        {"inputs": {"task": {"name": "rte", "version": 2}}},
        {"inputs": {"others": [{"name": "mrpc"}]}},
        {"inputs": {"earlier": [{"name": "mrpc"}]}},
        {"seed": 1},
        {"strategy": "frozen"},
        {"strategy": "lora-8bit"},
        {"status": "failed", "reason": "out of memory"},
        {"provenance": None},
        {"cost": None},
    ],
)
def test_what_is_not_the_task_alone_under_the_same_conditions_is_not_used(make, out, change):
    assert compared(make, out, [make.mixture(), make.alone(**change)]) == []


def test_record_that_mixes_nothing_has_no_transfer(make, out):
    pairs = [make.alone("full"), make.alone()]
    assert compared(make, out, pairs) == [] and transfer.mixed(pairs[0][0]) == {}
    bare = make.record("multitask", provenance=None)[0]
    assert transfer.mixed(bare) == {} and transfer.between([bare], [bare], out) == []


def test_mixture_after_earlier_tasks_is_not_compared(make, out):
    assert compared(make, out, [make.mixture(inputs={"earlier": [{"name": "mrpc"}]}), make.alone()]) == []


def test_without_items_scores_over_as_many_items_are_compared_without_an_interval(make):
    mixture, alone = make.mixture(count=200)[0], make.alone()[0]
    (found,) = transfer.between([mixture], [mixture, alone], None)
    assert found.rise.value == pytest.approx(mixture.outcome.elsewhere["rte"].score.value - alone.outcome.score.value)
    assert (found.rise.low, found.rise.high, found.rise.significant) == (None, None, False)
    # Where less is better, a lower score of the mixture is the rise.
    part = mixture.outcome.elsewhere["rte"]
    turned = part.model_copy(update={"score": part.score.model_copy(update={"higher_is_better": False})})
    (low,) = transfer.between([make.changed(mixture, elsewhere={"rte": turned})], [alone], None)
    assert low.rise.value == -found.rise.value != 0 and not low.higher_is_better
    fewer = make.mixture(count=64)[0]
    assert transfer.between([fewer], [fewer, alone], None) == []


def test_items_that_are_not_shared_are_not_compared(make, out):
    mixture, alone = make.mixture(count=200), make.alone()
    other = alone[1].assign(item="x" + alone[1]["item"])
    assert compared(make, out, [mixture, (alone[0], other)]) == []


def test_lower_perplexity_in_the_mixture_is_a_rise(make, out):
    def perplexing(pair: tuple, kind: str, nats: float) -> tuple:
        record, items = pair
        rows = items["kind"] == kind
        items = items.assign(gold=items["gold"].mask(rows, "null"))
        items.loc[rows, "prediction"] = items.loc[rows, "before"] = [as_text([nats + n % 7, 4.0]) for n in range(rows.sum())]
        values = [[nats + n % 7, 4.0] for n in range(rows.sum())]
        score = scores(pd.DataFrame({"gold": None, "prediction": values}), ["perplexity"])["perplexity"]
        if kind == "task":
            return make.changed(record, score=score), items
        part = record.outcome.elsewhere["rte"].model_copy(update={"score": score})
        return make.changed(record, elsewhere={"rte": part}), items

    (found,) = compared(make, out, [perplexing(make.mixture(), "elsewhere", 8.0), perplexing(make.alone(), "task", 9.0)])
    assert found.together < found.alone and not found.quantity.share
    assert 0 < found.rise.low <= found.rise.value <= found.rise.high
    assert found.rise.value == pytest.approx(found.alone - found.together)


def test_seeds_are_held_against_their_own_seed(make, out):
    mixtures = [make.mixture(seed, 0.5 + 0.1 * seed) for seed in range(3)]
    singles = [make.alone(seed=seed, accuracy=0.6 + 0.05 * seed) for seed in range(3)]
    kept = make.kept(out, [*mixtures, *singles])
    each = [transfer.between([run], kept, out)[0] for run in kept[:3]]
    (found,) = transfer.between(kept[:3], kept, out)
    assert found.rise.value == pytest.approx(sum(one.rise.value for one in each) / 3)
    assert found.rise.basis == "items and seeds" and found.rise.low < found.rise.value < found.rise.high
    (found,) = transfer.between(kept[:3], kept[:5], out)
    assert found.rise.runs == 2 and found.alone_as("sentiment", 3) == "instruction of suite entailment, 2 of 3 seeds"


def test_all_seeds_are_held_against_runs_of_one_row(make, out):
    """Planted fault: each seed took the run nearest to itself, and the mean was of two suites, or of two learning rates."""
    mixtures = [make.mixture(seed, hyperparameters={"learning_rate": 3e-5}) for seed in range(3)]

    def alone(seeds, rate=3e-5, suite="entailment"):
        given = {"hyperparameters": {"learning_rate": rate}, "suite": suite, "accuracy": 0.9 if suite == "other" else 0.7}
        return [make.alone(seed=seed, **given) for seed in seeds]

    def found(*singles):
        kept = make.kept(out, [*mixtures, *(pair for row in singles for pair in row)])
        (transfer_found,) = transfer.between(kept[:3], kept, out)
        return transfer_found.alone_as("sentiment", 3), {
            run.setup.hyperparameters["learning_rate"] for run in transfer_found.runs
        }

    assert found(alone([0], suite="other"), alone(range(3))) == ("instruction of suite entailment", {3e-5})
    assert found(alone([0, 1], suite="other"), alone([2])) == ("instruction of suite other, 2 of 3 seeds", {3e-5})
    assert found(alone([0]), alone([1, 2], rate=1e-5)) == ("instruction of suite entailment, 1 of 3 seeds", {3e-5})


def test_auto_on_the_same_kind_of_machine_is_the_precision_that_it_became(make, out):
    asked = {"inputs": {"precision": "auto"}}
    assert compared(make, out, [make.mixture(**asked), make.alone()])
    assert compared(make, out / "b", [make.mixture(**asked), make.alone(**asked, device={"precision": "bf16"})]) == []


def test_where_some_seeds_left_no_answers_there_is_no_interval(make, out):
    mixtures = [make.mixture(seed, 0.5 + 0.1 * seed, count=200) for seed in range(3)]
    singles = [make.alone(seed=seed, accuracy=0.6 + 0.05 * seed) for seed in range(3)]
    kept = make.kept(out, [*mixtures[:2], (mixtures[2][0], None), *singles])
    (found,) = transfer.between(kept[:3], kept, out)
    assert found.rise.runs == 3 and (found.rise.low, found.rise.high) == (None, None)


def test_either_score_moves_with_its_own_seed(make, out):
    """One seed in a table whose seeds vary: the difference of two scores varies by twice as much as one."""
    kept = make.kept(out, [*(make.mixture(seed, share) for seed, share in enumerate((0.5, 0.6, 0.7))), make.alone()])
    scores = [run.outcome.elsewhere["rte"].score.value for run in kept[:3]]
    (found,) = transfer.between(kept[:1], kept, out, spreads_of([kept[:3]])[0])
    assert found.rise.runs == 1 and found.rise.basis == "items and seeds"
    assert found.rise.spread == Spread(pytest.approx(2 * np.var(scores, ddof=1)), 2)


def test_items_are_the_same_by_their_values_whatever_type_a_file_has(make, out):
    """Planted fault: Arrow took the number 1 for the text "1", and failed the other way round."""
    mixture, alone = make.mixture(count=200), make.alone()

    def text(name):
        return name.rpartition("-")[2]

    def number(name):
        return int(text(name))

    def found(folder, mine, theirs):
        pairs = [(run, frame.assign(item=frame["item"].map(kind))) for (run, frame), kind in ((mixture, mine), (alone, theirs))]
        return compared(make, out / folder, pairs)

    assert found("texts", text, text) == found("numbers", number, number) != []
    assert found("unlike", number, text) == found("unlike too", text, number) == []
