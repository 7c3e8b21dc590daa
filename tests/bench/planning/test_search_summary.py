"""What a search has come to, from trials that are made up."""

import pytest

from bench.planning.next_trials import WORST
from bench.planning.search_summary import ended_trial, summed_up
from bench.records.outcome import Score
from bench.records.record import Cost, Provenance, Setup
from bench.records.trial import Rung, TrialRecord
from bench.specs.search import Search

COST = Cost(
    train_examples=32,
    train_tokens=100,
    train_flops=1000,
    train_seconds=0.5,
    eval_seconds=1,
    peak_memory_bytes=1,
    trainable_parameters=1,
    total_parameters=1,
    saved_bytes=1,
)


def search(**options):
    space = {"learning_rate": {"low": 1e-5, "high": 1e-3}}
    return Search.model_validate({"options": {"trials": 4, **options}, "space": space, "items": 8})


def trial(score, status="ok", higher=True, cost=COST, rungs=()):
    setup = Setup(suite="s", model="m", task="t", strategy="full", hyperparameters={}, seed=1000, budget="32examples")
    return TrialRecord(
        trial_id=f"{score}-{status}",
        status=status,
        reason="the loss is nan" if status == "failed" else None,
        setup=setup,
        sampled={},
        score=None if score is None else Score(name="x", value=score, ci_low=0, ci_high=1, n=8, higher_is_better=higher),
        rungs=list(rungs),
        cost=cost,
        provenance=Provenance(versions={}, device={}),
    )


def tuning(*tried, **options):
    return summed_up(search(**options), [({"learning_rate": 1e-4 * n}, list(each)) for n, each in enumerate(tried, 1)], "x")


def test_the_best_mean_is_chosen_and_of_equals_the_earlier():
    found = tuning(
        [trial(0.5), trial(0.7)], [trial(0.8), trial(0.6)], [trial(0.7), trial(0.7)], [trial(0.9), trial(0.1)], seeds=2
    )
    assert [each.score for each in found.tried] == pytest.approx([0.6, 0.7, 0.7, 0.5])
    assert found.chosen == 1 and found.tried[1].hyperparameters == {"learning_rate": 2e-4}
    assert (
        found.tried[0].ids == ["0.5-ok", "0.7-ok"] and found.tried[0].spent.examples == 64 and found.tried[0].spent.seconds == 1
    )
    assert (found.trials, found.batch, found.items, found.metric, found.share) == (4, 4, 8, "x", 1.0)


def test_what_asking_took_is_the_sum_where_all_of_it_is_known():
    paid, unpaid = (COST.model_copy(update={"money": money, "eval_seconds": 1.5}) for money in (0.2, None))
    found = tuning([trial(0.5, cost=paid), trial(0.7, cost=paid)], [trial(0.8, cost=paid), trial(0.6, cost=unpaid)], seeds=2)
    assert [(each.spent.asking_seconds, each.spent.money) for each in found.tried] == [(3.0, 0.4), (3.0, None)]


def test_a_failed_or_pruned_trial_is_never_chosen():
    found = tuning([trial(0.5)], [trial(0.9, "pruned")], [trial(None, "failed", cost=None)], [trial(0.4)])
    assert found.chosen == 0 and [each.status for each in found.tried] == ["ok", "pruned", "failed", "ok"]
    assert found.tried[2].score is None and found.tried[2].reason == "the loss is nan" and found.tried[2].spent is None
    half = tuning([trial(0.5), trial(None, "failed")], [trial(0.1), trial(0.2)], seeds=2)
    assert half.chosen == 1 and half.tried[0].status == "failed"
    # What one of two seeds took is not what the trial took.
    assert tuning([trial(0.5), trial(None, "failed", cost=None)], [trial(0.1)] * 2, seeds=2).tried[0].spent is None


def test_where_all_fail_nothing_is_chosen():
    found = tuning([trial(None, "failed")], [trial(None, "failed")])
    assert found.chosen is None and found.expected_best == []


def test_the_expected_best_is_of_random_trials_alone():
    scores = [[trial(score)] for score in (0.80, 0.70, 0.84, 0.60)]
    found = tuning(*scores)
    assert [each.trials for each in found.expected_best] == [1, 2, 3, 4]
    assert found.expected_best[1].expected == pytest.approx((0.80 + 0.84 + 0.80) / 3)
    assert found.expected_best[3].high is None and found.expected_best[3].low == 0.80
    assert tuning(*scores, sampler="tpe").expected_best == []
    assert tuning(*scores[:3], [trial(0.60, "pruned")], pruner="halving").expected_best == []  # of a quarter of a training
    # A space of four values, of which each was tried once: they were not drawn independently.
    assert (tuning(*scores, trials=5).trials, tuning(*scores, trials=5).expected_best) == (4, [])


def test_where_less_is_better_the_least_is_chosen_and_the_interval_is_turned():
    found = tuning(*([trial(score, higher=False)] for score in (3.0, 4.0, 2.5, 5.0)))
    assert found.chosen == 2 and not found.higher_is_better and found.tried[1].score == 4.0
    assert found.expected_best[0].expected == 3.0 and found.expected_best[3].expected < 3.0
    assert found.expected_best[3].low is None and found.expected_best[3].high == 3.0


def test_the_sampler_hears_the_mean_over_seeds_and_each_seeds_rungs():
    rungs = [Rung(share=0.25, score=0.3)]
    ended = ended_trial(({"a": 1}, [trial(0.5, rungs=rungs), trial(0.7)]))
    assert ended.score == pytest.approx(0.6) and ended.rungs == [[0.3], []]
    assert ended_trial(({"a": 1}, [trial(0.5), trial(None, "failed")])).score == WORST
