"""Places of rows in a column: what is compared, on which grounds, and what the column could have shown."""

import itertools
from dataclasses import replace
from statistics import fmean

import numpy as np
import pytest
from scipy.stats import ttest_rel

from bench.statistics.comparison import mean_margin
from bench.statistics.detectable import detectable
from bench.statistics.intervals import Margin
from reports.rows import standing
from reports.rows.no_model_rows import without_model
from reports.rows.pilots import pilot_of
from reports.rows.rows import aggregate, ranked


def stepped_down(ps: list[float]) -> list[bool]:
    """Holm 1979: reject the smallest p at .05 / m, the next at .05 / (m - 1), and stop at the first that is not."""
    rejected = [False] * len(ps)
    for left, index in zip(range(len(ps), 0, -1), sorted(range(len(ps)), key=ps.__getitem__), strict=True):
        if ps[index] > 0.05 / left:
            break
        rejected[index] = True
    return rejected


def test_places_are_those_of_holm_s_paired_tests(make, out):
    """The oracle: scipy's paired t test between all models, rejected one after the other as Holm's paper says it."""
    pairs = [make.record(name, accuracy=share) for name, share in (("a", 0.55), ("bb", 0.6), ("ccc", 0.72), ("dddd", 0.74))]
    rows = aggregate(make.kept(out, pairs), out)
    right = {}
    for record, frame in pairs:
        task = frame[frame["kind"] == "task"]
        right[record.run_id] = (task["prediction"] == task["gold"]).to_numpy(float)
    names = list(right)
    both = list(itertools.combinations(names, 2))
    findings = stepped_down([ttest_rel(right[a], right[b]).pvalue for a, b in both])
    worse = dict.fromkeys(names, 0)
    better = dict.fromkeys(names, 0)
    for (a, b), found in zip(both, findings, strict=True):
        if found:
            above, below = (a, b) if right[a].mean() > right[b].mean() else (b, a)
            worse[above] += 1
            better[below] += 1
    places = standing.score_standing(rows)
    assert places.places == {name: (1 + better[name], 4 - worse[name]) for name in names}
    assert 0 < sum(findings) < 6 and places.top == ["ccc", "dddd"] and not places.seeded and not places.unpaired


def test_a_row_without_a_model_takes_no_place(make, out):
    found = make.suite(2)
    constant = found[0][0].outcome.score.model_copy(update={"value": 0.5})
    found = [(make.changed(record, references={"constant answer": constant}), frame) for record, frame in found]
    rows = aggregate(make.kept(out, found), out)
    (fixed,) = without_model(rows)
    places = standing.score_standing([*rows, fixed])
    assert len(places.places) == 7 and places.of(fixed) is None and len(places.pairs) == 21 and places.seeded


def test_one_row_has_no_place(make):
    assert standing.score_standing(aggregate([make.record("full")[0], make.failed()])) is None
    assert standing.score_places(aggregate([make.record("full")[0]])) == {}


def test_a_failed_row_does_not_say_which_scores_are_better(make, out):
    """It comes first, as its run's id may, and knows no metric."""
    found = make.kept(out, [make.record("full", accuracy=0.9), make.record("frozen", accuracy=0.6)])
    lower = [make.changed(r, score=r.outcome.score.model_copy(update={"higher_is_better": False})) for r in found]
    rows = aggregate([make.failed("aaa"), *lower], out)
    places = standing.score_places(rows)
    assert [places.get(row.first.run_id) for row in rows] == [None, (2, 2), (1, 1)]
    assert standing.score_standing(rows).quantity == rows[1].quantity


def test_rows_without_answers_are_compared_unpaired(make, out):
    """An imported row beside two with answers: its pairs are made of bounds, and the others stay paired."""
    kept = make.kept(out, [make.record("full", accuracy=0.85), make.record("frozen", accuracy=0.80)])
    bare = make.record("imported", accuracy=0.82)[0]
    places = standing.score_standing(aggregate([*kept, bare], out))
    assert places.unpaired == 2 and len(places.pairs) == 3
    assert places.of(aggregate([bare])[0]) == (1, 3)


def test_rows_that_intervals_alone_compare_tell_what_they_could_show(make, out):
    """Imported rows of one run each. Where seeds are a part of intervals nobody knows how large a part: nothing is told."""
    rows = aggregate([make.record(name, accuracy=share)[0] for name, share in (("a", 0.7), ("b", 0.8), ("c", 0.5))])
    places = standing.score_standing(rows)
    assert places.unpaired == 3
    assert places.detectable == detectable(mean_margin([pair.margin for pair in places.pairs]), 3)
    assert places.detectable.low == places.detectable.value > 0 == places.detectable.floor
    seeded = aggregate([pair[0] for pair in make.suite(2)])
    assert standing.score_standing(seeded).unpaired and standing.score_standing(seeded).detectable is None


@pytest.mark.parametrize(("data_hash", "unpaired"), [("cd" * 32, 0), ("ee" * 32, 1)])
def test_items_of_other_data_are_not_the_same(make, out, data_hash, unpaired):
    pairs = [make.record("full"), make.record("frozen", accuracy=0.8, data_hash=data_hash)]
    places = standing.score_standing(aggregate(make.kept(out, pairs), out))
    assert places.unpaired == unpaired


@pytest.mark.parametrize(("texts", "unpaired"), [("these", 0), ("others", 1)])
def test_items_of_another_probe_of_this_name_are_not_the_same(make, out, texts, unpaired):
    """Items of a probe are numbered, so that their names say nothing of their texts."""
    asked = [("full", "these"), ("frozen", texts)]
    pairs = [make.record(name, inputs={"probes": [[{"name": "lambada", "source": source}, 64]]}) for name, source in asked]
    rows = aggregate(make.kept(out, pairs), out)
    assert standing.forgetting_standing(rows, "lambada").unpaired == unpaired


def test_least_forgotten_stands_first_among_rows_that_train(make, out):
    probes = {"wikipedia": ("loss (nats per token)", 3.2, 3.6)}
    less = {"wikipedia": ("loss (nats per token)", 3.2, 3.25)}
    found = [make.record("full", probes=probes), make.record("frozen", probes=less), make.record("zero-shot", trainable=0)]
    rows = aggregate(make.kept(out, found), out)
    places = standing.forgetting_standing(rows, "wikipedia")
    assert {row.label: places.of(row) for row in rows} == {"full": (2, 2), "frozen": (1, 1), "zero-shot": None}
    assert standing.forgetting_standing(rows, "another") is None


def test_a_loss_without_an_interval_has_no_place(make, out):
    """Planted fault: distances from the base, of which no two were tested, put all rows into the top group."""
    pairs = [make.record(name) for name in ("full", "frozen", "lora")]
    bare = [make.lost(pair, "wikipedia", (lost, None, None)) for pair, lost in zip(pairs, (0.4, 0.1, 0.2), strict=True)]
    assert standing.forgetting_standing(aggregate(make.kept(out, bare)), "wikipedia") is None
    rows = aggregate(make.kept(out, [*pairs[:2], bare[2]]))
    places = standing.forgetting_standing(rows, "wikipedia")
    assert len(places.pairs) == 1 and {row.label for row in rows if places.of(row)} == {"full", "frozen"}


def test_what_could_be_shown_is_that_of_rows_that_train(make, out):
    rows = aggregate(make.kept(out, make.suite(3)), out)
    trained = [row for row in rows if row.trains]
    all_rows, alone = standing.score_standing(rows), standing.score_standing(trained)
    assert len(all_rows.pairs) == 21 and len(alone.pairs) == 10
    # The same components, looked at among more pairs. Seeds of these rows do nothing but answer by chance, and set no floor.
    assert all_rows.detectable.value > alone.detectable.value > alone.detectable.floor == 0
    assert alone.detectable.low < alone.detectable.value < alone.detectable.high


def test_the_floor_is_that_which_a_plan_of_a_larger_study_has(make, out):
    """Seeds that lie ten points apart. Planted fault: with what their own answers add it was larger than `power` said."""
    found = [
        make.record(name, seed, share + 0.1 * seed)
        for name, share in (("full", 0.65), ("frozen", 0.7), ("lora", 0.6))
        for seed in range(3)
    ]
    rows = aggregate(make.kept(out, found), out)
    floor = standing.score_standing(rows).detectable.floor
    margin = mean_margin([pair.margin for pair in standing.score_standing(rows).pairs])
    share = fmean(row.score.value for row in rows)
    assert margin.own > 0 and floor < detectable(replace(margin, items=0.0, own=0.0), 3, share, known=6).value
    assert floor == pytest.approx(pilot_of(rows).smallest(3), rel=1e-6) and floor > 0.1


def test_the_range_is_known_by_the_seeds_of_all_rows(make, out):
    """From five seeds on, where each pair is tested by its own."""
    rows = [row for row in aggregate(make.kept(out, make.suite(5)), out) if row.trains]
    found = standing.score_standing(rows)
    margin = mean_margin([pair.margin for pair in found.pairs])
    score = fmean(row.score.value for row in rows)
    assert (len(rows), margin.seed_freedom) == (5, 8)
    assert found.detectable == detectable(margin, 10, score, known=20)


def test_a_score_without_an_interval_takes_no_place(make, out):
    """As an imported one may be; planted fault: two of them were a tie."""
    pairs = [make.record(name) for name in ("full", "frozen", "lora-8bit")]
    bare = {"ci_low": None, "ci_high": None}

    def stripped(pair):
        outcome = pair[0].outcome
        score = outcome.score.model_copy(update=bare)
        metrics = outcome.metrics | {score.name: score}
        return make.changed(pair[0], outcome=outcome.model_copy(update={"score": score, "metrics": metrics})), None

    rows = aggregate(make.kept(out, [stripped(pairs[0]), *pairs[1:]]), out)
    places = standing.score_standing(rows)
    assert {row.label: places.of(row) is None for row in rows} == {"full": True, "frozen": False, "lora-8bit": False}
    assert (
        standing.score_standing(aggregate(make.kept(out / "two", [*map(stripped, pairs[:2]), pairs[2]]), out / "two")) is None
    )


def test_scores_by_two_metrics_have_no_order(make, out):
    """A task whose first metric is another one since, and a table that was let through all the same."""
    one, other = make.record("full"), make.record("frozen")
    score = other[0].outcome.score.model_copy(update={"name": "f1_macro"})
    other = make.changed(other[0], outcome=other[0].outcome.model_copy(update={"score": score})), other[1]
    rows = aggregate(make.kept(out, [one, other]), out)
    assert len(rows) == 2 and standing.score_standing(rows) is None


def test_rows_that_collapsed_do_not_make_the_difference_smaller(make, out):
    """Answers that are all the same differ nowhere, and tell nothing of what other rows would have shown."""

    def fallen(name):
        record, frame = make.record(name, accuracy=0.5)
        return make.changed(record, outcome=record.outcome.model_copy(update={"collapsed": "all answers are 'one'"})), frame

    def found(*records):
        return standing.score_standing(aggregate(make.kept(out, list(records)), out))

    one, other, plain = make.record("full", accuracy=0.8), make.record("frozen"), make.record("zero-shot", trainable=0)
    sound, with_fallen = found(one, other), found(one, other, fallen("lora"), fallen("instruction"))
    assert (sound.between, with_fallen.between) == ("", "rows that train and have not collapsed")
    assert with_fallen.detectable.value > sound.detectable.value  # the same components, looked at among more pairs
    # Where one row alone is left that trains, an untrained one varies more like it than a collapsed one.
    assert found(one, plain, fallen("lora"), fallen("instruction")).between == "rows that have not collapsed"
    assert found(fallen("lora"), fallen("instruction"), plain).between == "rows that train"


def test_a_part_that_a_pair_lacks_has_no_degrees_of_freedom_to_average(make, out):
    """One row trains, beside solved examples and an untouched model. Planted fault: of parts with 2 degrees of freedom the
    pairs that lack one made 1.3."""
    found = [pair for pair in make.suite(3) if pair[0].setup.strategy in ("zero-shot", "few-shot", "full")]
    rows = aggregate(make.kept(out, found), out)
    places = standing.score_standing(rows)
    margins = [pair.margin for pair in places.pairs]
    assert {margin.seed_freedom for margin in margins} | {margin.other_freedom for margin in margins} == {0, 2}
    seeds, items, others = (np.mean([getattr(m, part) for m in margins]) for part in ("seeds", "items", "other_seeds"))
    score = np.mean([row.score.value for row in rows])
    expected = detectable(Margin(seeds, 2, items, margins[0].item_freedom, others, 2), 3, score)
    assert places.detectable.value == pytest.approx(expected.value) and expected.floor > 0
    # No seed of these made-up rows does more than answer by chance.
    assert places.detectable.floor == 0 < np.mean([margin.own for margin in margins])


def test_places_as_text():
    assert [standing.shown(places) for places in ((1, 3), (2, 2), None)] == ["1-3", "2", ""]


def test_every_record_of_a_row_has_its_places(make, out):
    rows = aggregate(make.kept(out, make.suite(2)), out)
    places = standing.score_places(rows)
    assert set(places) == {record.run_id for row in rows for record in row.records}
    first = ranked(rows)[0]
    assert {places[record.run_id] for record in first.records} == {standing.score_standing(rows).of(first)}


def test_equal_strategies_are_seldom_separated():
    """A/A on made-up answers, from two seeds on: a false separation anywhere in at most 7 % of tables."""
    from bench.statistics.comparison import pairs
    from bench.statistics.estimates import estimate
    from bench.statistics.intervals import pooled
    from bench.statistics.jackknife import clusters_of, of_counts

    generator, false, tables = np.random.default_rng(0), 0, 300
    for _ in range(tables):
        chance = 0.8 + 0.02 * generator.standard_normal((3, 2, 1))
        right = (generator.random((3, 2, 200)) < chance).astype(float)
        rows = [
            of_counts(np.stack([row, np.ones_like(row)], -1), lambda t: t[..., 0] / t[..., 1], clusters_of(None, 200))
            for row in right
        ]
        spread = pooled([row.values.tolist() for row in rows])
        false += any(
            pair.significant for pair in pairs([estimate(row.values.tolist(), [None] * 2, row, spread) for row in rows])
        )
    assert false / tables <= 0.07


@pytest.mark.parametrize("seeds", [1, 3])
def test_places_never_leave_the_table(make, out, seeds):
    rows = aggregate(make.kept(out, make.suite(seeds)), out)
    places = standing.score_standing(rows).places.values()
    assert all(1 <= best <= worst <= 7 for best, worst in places) and any(best == 1 for best, _ in places)
