"""What a search asks for next: a function of the trials before, and of nothing else."""

import math
import subprocess
import sys
from itertools import permutations

import pytest

from bench.planning.next_trials import BATCH, WORST, EndedTrial, different_trials, next_batch, pruner
from bench.specs.search import Search

SPACE = {
    "learning_rate": {"low": 1e-5, "high": 1e-3, "log": True},
    "peft.r": {"low": 2, "high": 16, "integer": True},
    "schedule": {"choice": ["linear", "constant"]},
}
FIRST = {"learning_rate": 4e-5, "peft.r": 8, "schedule": "linear"}


def search(space=SPACE, **options):
    return Search.model_validate({"options": {"trials": 12, **options}, "space": space, "items": 8})


def ended(values, score=0.5, rungs=()):
    return EndedTrial(values, score, [list(rungs)])


def asked(which, batches, score=lambda values: 0.5):
    found = []
    for _ in range(batches):
        found += [ended(values, score(values)) for values in next_batch(which, FIRST, found)]
    return [each.values for each in found]


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_trials_come_in_batches_inside_the_space_the_default_first(sampler):
    found = asked(search(sampler=sampler), 3)
    assert found[0] == FIRST and len(found) == 3 * BATCH
    for values in found:
        assert 1e-5 <= values["learning_rate"] <= 1e-3 and values["schedule"] in ("linear", "constant")
        assert isinstance(values["peft.r"], int) and 2 <= values["peft.r"] <= 16
        assert float(f"{values['learning_rate']:.3g}") == values["learning_rate"]
    assert len({values["learning_rate"] for values in found}) > 9  # of three digits, two may be equal
    assert found == asked(search(sampler=sampler), 3)


def test_random_draws_are_log_uniform_and_look_to_both_sides():
    rates = [values["learning_rate"] for values in asked(search(), 30)[1:]]
    places = [math.log(rate / 1e-5) / math.log(100) for rate in rates]
    assert all(abs(sum(place < bound for place in places) / len(places) - bound) < 0.12 for bound in (0.25, 0.5, 0.75))
    assert min(rates[:3]) < 1e-4 < max(rates[:3])


def test_all_values_of_a_small_space_are_asked_for_before_any_comes_twice():
    small = {"peft.r": {"low": 2, "high": 4, "integer": True}, "schedule": {"choice": ["linear", "constant"]}}
    which, found = search(small), []
    assert different_trials(which) == 6
    while len(found) < 6:
        found += [ended(values) for values in next_batch(which, {"peft.r": 3, "schedule": "linear"}, found)]
    assert len({tuple(each.values.values()) for each in found[:6]}) == 6
    assert different_trials(search()) == math.inf
    # Planted fault: all of a space that nobody goes through were put into a list.
    assert different_trials(search({"peft.r": {"low": 1, "high": 10**12, "integer": True}})) == math.inf


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_default_that_the_sampler_would_draw_is_not_tried_twice(sampler):
    """As defaults are that an earlier search has found: by the seed of all samplers they are among its draws."""
    which = search({"learning_rate": SPACE["learning_rate"]}, sampler=sampler)
    plain = next_batch(which, {"learning_rate": 4e-5}, [])
    batch = next_batch(which, found := plain[2], [])
    assert batch[:2] == [found, plain[1]] and batch[2] == plain[3] and batch[3] not in plain
    assert all(each not in batch for each in next_batch(which, found, [ended(values) for values in batch]))


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_small_space_is_tried_whole_before_anything_is_tried_again(sampler):
    which = search({"peft.r": {"low": 1, "high": 6, "integer": True}}, sampler=sampler)
    found = []
    for _ in range(2):
        found += [ended(values) for values in next_batch(which, {"peft.r": 3}, found)]
    ranks = [each.values["peft.r"] for each in found]
    assert sorted(ranks[:6]) == [1, 2, 3, 4, 5, 6] and len(ranks) == 2 * BATCH


def test_random_draws_know_nothing_of_scores_and_tpe_does():
    def low_is_good(values):
        return 1 - values["learning_rate"]

    def high_is_good(values):
        return values["learning_rate"]

    assert asked(search(), 4, low_is_good) == asked(search(), 4, high_is_good)
    low, high = (asked(search(sampler="tpe"), 6, score)[8:] for score in (low_is_good, high_is_good))
    assert sum(v["learning_rate"] for v in low) < sum(v["learning_rate"] for v in high) / 3


def test_how_many_trials_are_wanted_changes_none_of_them():
    assert asked(search(trials=4), 2) == asked(search(trials=40), 2)


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_a_failed_trial_is_one_with_the_worst_score(sampler):
    which = search(sampler=sampler)
    first = next_batch(which, FIRST, [])
    scores = [0.5, 0.9, 0.6, 0.7]
    failed, worst = (
        next_batch(which, FIRST, [ended(v, s) for v, s in zip(first, [bad, *scores[1:]], strict=True)]) for bad in (WORST, 0.6)
    )
    assert failed == worst
    assert len(next_batch(which, FIRST, [ended(values, WORST) for values in first])) == BATCH


def test_tpe_ranks_a_pruned_trial_below_whole_ones_and_by_how_far_it_came():
    """However good its score was where it was pruned: it is told as one that ended there, whatever that number is."""
    which = search(sampler="tpe")
    first = next_batch(which, FIRST, [])
    whole = [ended(values, score) for values, score in zip(first[:3], [0.6, 0.7, 0.8], strict=True)]
    high, low, as_whole = (
        next_batch(which, FIRST, [EndedTrial(first[3], score, [[score]], pruned), *whole])
        for score, pruned in ((0.99, True), (0.01, True), (0.99, False))
    )
    assert high == low != as_whole
    # Where nothing ran to its end, the one that came furthest is looked at first, and by its mean over seeds.
    cut = [EndedTrial(values, 0.9, [[0.9], [0.9]], True) for values in first]
    furthest = [
        next_batch(which, FIRST, [cut[0]._replace(rungs=rungs), *cut[1:]])
        for rungs in ([[0.1, 0.1], [0.1, 0.1]], [[0.99], [0.99]], [[0.99, 0.9], [0.8]])
    ]
    assert furthest[0] == furthest[1] != furthest[2]


def test_nothing_is_pruned_without_a_pruner_or_in_the_first_batch():
    assert pruner(search(), [ended(FIRST)], 0) is None
    # Which is looked at on the way all the same: later batches are held against it.
    first = pruner(search(pruner="halving"), [], 0)
    assert first is not None and not first([0.0]) and not first([0.0, 0.0])


def test_halving_prunes_the_worse_half_whatever_the_order_of_the_others():
    """By hand: at a rung a trial goes on when it is among the better half of those that came to it, itself counted."""
    before = [ended(FIRST, 0.8, rungs) for rungs in ([0.5, 0.7], [0.6, 0.8], [0.4, 0.5], [0.7, 0.75])]
    for order in permutations(before):
        rule = pruner(search(pruner="halving"), order, 0)
        assert [rule([score]) for score in (0.3, 0.55, 0.65, 0.9)] == [True, True, False, False]
        assert [rule([0.9, score]) for score in (0.6, 0.74, 0.78, 0.9)] == [True, True, False, False]


def test_a_pruned_trial_is_held_against_others_only_where_it_came():
    whole, cut = ended(FIRST, 0.8, [0.5, 0.7]), ended(FIRST, 0.9, [0.9])
    rule = pruner(search(pruner="halving"), [whole, cut], 0)
    assert rule([0.6]) is True and rule([0.95, 0.6]) is True and rule([0.95, 0.75]) is False


def test_each_seed_is_held_against_its_own():
    before = [EndedTrial(FIRST, 0.5, [[0.9], [0.1]]) for _ in range(3)]
    search_ = search(pruner="halving", seeds=2)
    assert pruner(search_, before, 0)([0.5]) is True and pruner(search_, before, 1)([0.5]) is False


def test_optuna_is_not_imported_where_nothing_is_searched():
    code = "import sys, bench.planning.tuning; sys.exit('optuna' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("sampler", ["random", "tpe"])
def test_values_never_come_twice_where_there_is_no_end_to_them(sampler):
    """Each batch is drawn by a study made anew, which would by one seed draw the first ones again."""
    found = asked(search(sampler=sampler), 12)
    assert len({tuple(values.values()) for values in found}) == len(found) == 12 * BATCH


@pytest.mark.parametrize("ends", [(0.12345, 0.12349), (0.98761, 0.98764)])
def test_a_rounded_draw_stays_in_its_range(ends):
    low, high = ends
    which = search({"warmup": {"low": low, "high": high}})
    assert all(low <= values["warmup"] <= high for values in next_batch(which, {"warmup": low}, []))
