"""Samples against what a fair one is: labels and clusters in their shares, whatever order the file has."""

from collections import Counter

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.inference.evalset import EvalSet
from bench.specs.wording import Wording
from bench.tasks import sampling, splits, types
from bench.tasks.sampling import fair_order, sample, turns_of_labels

ITEMS = st.lists(st.tuples(st.sampled_from("aab"), st.sampled_from(["x", "x", "y", "z", None])), min_size=1, max_size=60)


@settings(deadline=None)
@given(ITEMS, st.data())
def test_a_sample_keeps_the_shares_of_two_labels_and_a_larger_one_keeps_all_of_it(items, data):
    labels, clusters = zip(*items, strict=True)
    order = fair_order(labels, clusters)
    assert sorted(order) == list(range(len(items)))
    count = data.draw(st.integers(1, len(items)))
    chosen = sample(list(range(len(items))), count, labels, clusters)
    assert chosen == order[:count] == sample(list(range(len(items))), len(items), labels, clusters)[:count]
    taken = Counter(labels[place] for place in chosen)
    for label, total in Counter(labels).items():
        assert abs(taken[label] - count * total / len(items)) < 1


@settings(deadline=None)
@given(st.lists(st.sampled_from("uvwxyz"), min_size=1, max_size=80), st.data())
def test_no_cluster_crowds_out_others(clusters, data):
    count = data.draw(st.integers(1, len(clusters)))
    taken = Counter(clusters[place] for place in fair_order([""] * len(clusters), clusters)[:count])
    shares = {cluster: (taken[cluster], total) for cluster, total in Counter(clusters).items()}
    # One rate explains all clusters: what each gave lies within one item of it.
    low = max((given - 1) / total for given, total in shares.values())
    high = min((given + 1) / total for given, total in shares.values())
    assert low < high


def test_rare_labels_and_small_clusters_are_as_likely_as_others(monkeypatch):
    labels, clusters = ["big"] * 60 + [f"rare {i}" for i in range(40)], ["c"] * 50 + [None] * 50
    places, counts = list(range(100)), Counter()
    for seed in range(400):
        monkeypatch.setattr(sampling, "SEED", seed)
        counts.update(sample(places, 20, labels, clusters))
    # 80 of 400 are expected of each item, with a standard deviation of 8.
    assert min(counts[place] for place in places) > 80 - 4.5 * 8 and max(counts.values()) < 80 + 4.5 * 8


def test_without_a_limit_everything_stays_in_its_order():
    assert sample("abc", None, [1, 1, 1], [None] * 3) == list("abc")
    assert sorted(sample("abc", 9, [1, 1, 1], [None] * 3)) == list("abc")


@pytest.fixture(scope="module")
def reviews(library):
    spec = library.task("sst2")
    return EvalSet(types.task_type(spec), splits.load_splits(spec), None, Wording(), 0, items=128, split="validation")


def test_the_128_validation_items_of_sst2_are_of_many_films_and_as_positive_as_all(reviews):
    everything = reviews.data.validation
    first = everything[:128]
    assert len({example.cluster for example in first}) == 7  # what the first ones of the file would be
    assert sum(example.gold == "positive" for example in first) == 53
    chosen = reviews.examples
    assert len({example.id for example in chosen}) == 128
    share = sum(example.gold == "positive" for example in everything) / len(everything)
    assert abs(sum(example.gold == "positive" for example in chosen) - 128 * share) < 1
    sizes = Counter(example.cluster for example in chosen)
    assert len(sizes) > 40 and max(sizes.values()) <= 8


@pytest.mark.parametrize("items", [32, 128, 200, None])
def test_each_instruction_is_put_to_each_label_alike(sst2, items):
    """Planted fault: dealt out by place, each of four instructions was asked of one label almost alone."""
    kind = types.task_type(sst2)
    asked = EvalSet(kind, splits.load_splits(sst2), None, Wording(style="instruction"), 0, items=items, split="validation")
    wordings = len(sst2.paraphrases("train"))
    met = Counter((asked.place(index) % wordings, example.gold) for index, example in enumerate(asked.examples))
    for label in sst2.labels:
        counts = [met[number, label] for number in range(wordings)]
        assert max(counts) - min(counts) <= 1 and min(counts) > 0


@given(st.lists(st.sampled_from("abc"), max_size=30))
def test_turns_count_within_each_label(labels):
    turns = turns_of_labels(labels)
    assert all(turn == labels[:place].count(labels[place]) for place, turn in enumerate(turns))
