"""Seeds of a whole table say how far a seed moves a number."""

from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest

from bench.statistics.comparison import holm
from bench.statistics.intervals import Spread, of_pair
from bench.statistics.jackknife import Jackknifed, clusters_of
from reports.rows.pilots import pilot_of
from reports.rows.rows import aggregate
from reports.rows.spreads import NO_SEEDS, SeedSpreads
from reports.rows.standing import score_standing


def test_rows_that_lack_the_number_have_no_part(make):
    rows = [[make.record("full", seed, 0.8 + shift * seed)[0].outcome for seed in range(2)] for shift in (0.02, 0.06)]
    found = SeedSpreads(rows).of(lambda outcome: outcome.score.value)
    assert found == Spread(pytest.approx((0.02**2 + 0.06**2) / 4), 2)
    assert SeedSpreads(rows).of(lambda outcome: outcome.relative_forgetting) == Spread() == NO_SEEDS.of(lambda _: 1.0)
    half = SeedSpreads(rows).of(lambda outcome: outcome.score.value if outcome in rows[0] else None)
    assert half == Spread(pytest.approx(0.02**2 / 2), 1)


def test_rows_of_a_table_widen_each_other_and_other_tables_do_not(make, out):
    quiet = [make.record("full", seed, 0.85) for seed in range(3)]
    loud = [make.record("frozen", seed, 0.75 + 0.05 * seed) for seed in range(3)]
    elsewhere = [make.record("frozen", seed, 0.75 + 0.05 * seed, suite="another") for seed in range(3)]
    single = [make.record("instruction", 0, 0.85)]
    bare = [make.record("zero-shot", 0, 0.85, trainable=0)]

    def width(*beside: list) -> dict[str, float]:
        rows = aggregate(make.kept(out, [pair for pairs in beside for pair in pairs]), out)
        return {f"{row.setup.suite} {row.setup.strategy}": row.score.high - row.score.low for row in rows}

    alone, apart, together = width(quiet, bare, single), width(quiet, elsewhere), width(quiet, loud, single, bare)
    assert apart["sentiment full"] == pytest.approx(alone["sentiment full"])
    assert together["sentiment full"] > 1.5 * alone["sentiment full"]
    # A row of one seed has the table's spread; one that depends on no seed has none.
    assert together["sentiment instruction"] > together["sentiment full"]
    assert together["sentiment zero-shot"] == pytest.approx(alone["sentiment zero-shot"])


def test_own_deviation_is_kept(make, out):
    records = make.kept(out, [make.record("full", seed, 0.75 + 0.05 * seed) for seed in range(3)])
    (row,) = aggregate(records, out)
    assert row.seed_sd == row.gain.seed_sd == pytest.approx(np.std([0.75, 0.80, 0.85], ddof=1)) and row.collapsed == 0
    fallen = make.changed(records[0], collapsed="one label alone")
    (row,) = aggregate([fallen, *records[1:]], out)
    assert row.collapsed == 1


def test_forgettings_of_a_row_are_corrected_for_how_many_there_are(make):
    record = make.record("full", probes={f"p{n}": ("accuracy", 0.5, 0.4) for n in range(4)})[0]
    barely = {"delta": 0.1, "ci_low": 0.01, "ci_high": 0.19}
    none = {"delta": 0.0, "ci_low": -0.1, "ci_high": 0.1}
    found = record.outcome.forgetting
    for names, expected in ((["p0"], "loss"), (list(found), "none")):
        probes = {name: found[name].model_copy(update=barely if name == "p0" else none) for name in names}
        (row,) = aggregate([make.changed(record, forgetting=probes)])
        lost = row.forgetting["p0"].lost
        assert lost.low > 0 and lost.verdict == expected and row.forgetting["p0"].lost.significant is (expected == "loss")


def test_seeds_that_choose_examples_are_not_pooled_with_those_that_train(make, out):
    trained = [make.record("full", seed, 0.85) for seed in range(2)]
    shots = [make.record("few-shot", seed, 0.5 + 0.2 * seed, trainable=0) for seed in range(2)]
    alone, beside = (
        {row.setup.strategy: row for row in aggregate(make.kept(out, pairs), out)} for pairs in (trained, trained + shots)
    )
    assert alone["full"].score == beside["full"].score and beside["few-shot"].seed_sd > 0.1


def test_what_no_seed_can_move_has_no_seed_variance(make, out):
    same = {"lambada": ("accuracy", 0.45, 0.45)}
    shots = [make.record("few-shot", seed, 0.6, same, trainable=0) for seed in range(2)]
    trained = [make.record("full", seed, 0.85, {"lambada": ("accuracy", 0.45, 0.40 - 0.1 * seed)}) for seed in range(2)]
    rows = {row.setup.strategy: row for row in aggregate(make.kept(out, shots + trained), out)}
    kept = rows["few-shot"].forgetting["lambada"].lost
    assert (kept.value, kept.low, kept.high, kept.verdict) == (0, 0, 0, "none")
    assert rows["full"].forgetting["lambada"].lost.seed_sd > 0.05


def test_rows_that_collapsed_say_nothing_of_how_far_seeds_move_the_others(make, out):
    """Planted fault: three rows that give each item the same answer with every seed would halve the others' intervals."""
    loud = [make.record("frozen", seed, 0.75 + 0.05 * seed) for seed in range(3)]
    fallen = [(make.changed(record, collapsed="one label alone"), frame) for record, frame in
              (make.record(name, seed, 0.5) for name in ("a", "b", "c") for seed in range(3))]  # fmt: skip
    alone, beside = (
        {row.setup.strategy: row for row in aggregate(make.kept(out / str(len(pairs)), pairs), out / str(len(pairs)))}
        for pairs in (loud, [*loud, *fallen])
    )
    assert beside["frozen"].score == alone["frozen"].score
    # Of rows that all collapsed their own seeds are all that there is.
    only = aggregate(make.kept(out / "only", fallen), out / "only")
    assert only[0].score.seed_sd == 0


def test_a_row_that_learned_with_one_seed_alone_is_not_taken_for_as_sure_as_the_others(make, out):
    """Planted fault: without its variance `full` was better than it "by more than chance"."""
    rows = aggregate(make.kept(out, [*scores_of(make, "full", 0.85, 0.86), *scores_of(make, "frozen", 0.86, 0.5)]), out)
    spreads = {row.setup.strategy: row.score.spread for row in rows}
    assert spreads == {"full": Spread(pytest.approx(0.01**2 / 2), 1), "frozen": Spread(pytest.approx(0.36**2 / 2), 1)}
    (pair,) = score_standing(rows).pairs
    assert not pair.significant


@pytest.mark.parametrize("others", [(0.85, 0.86), (0.76, 0.53)])
def test_a_run_that_collapsed_hides_nothing_of_the_rows_beside(make, out, others):
    """Planted faults: one of three seeds of `full` fell, and no other row could be told from any more; or the two seeds beside
    it, of which one had learned next to nothing, made all other rows' intervals wider than their own seeds are."""
    quiet = [*scores_of(make, "frozen", 0.86, 0.9, 0.82), *scores_of(make, "lora", 0.7, 0.74, 0.66)]
    alone = aggregate(make.kept(out / "alone", quiet), out / "alone")
    beside = aggregate(make.kept(out / "both", [*quiet, *scores_of(make, "full", *others, 0.5)]), out / "both")
    assert [row.score for row in beside[:2]] == [row.score for row in alone]
    assert all(row.score.spread == Spread(pytest.approx(0.0016), 4) for row in alone)
    assert beside[2].score.spread == Spread(pytest.approx(np.var([*others, 0.5], ddof=1)), 2)
    # A study is planned from what the caption says.
    plan, told = pilot_of(beside), score_standing(beside).detectable
    assert plan.smallest(3, plan.items) == pytest.approx(told.value, rel=1e-3)


def scores_of(make, name, *scores):
    """A row whose runs of .5 collapsed."""
    pairs = [make.record(name, seed, score) for seed, score in enumerate(scores)]
    return [(make.changed(record, collapsed="one label alone" if score == 0.5 else None), frame)
            for score, (record, frame) in zip(scores, pairs, strict=True)]  # fmt: skip


@pytest.mark.parametrize(("rows", "seeds", "chance"), [(4, 2, 0.1), (2, 3, 0.3), (4, 3, 0.2)])
def test_few_false_findings_where_seeds_collapse_by_chance(rows, seeds, chance):
    """Equal strategies, each of whose seeds collapses with a chance: a pair is told apart in at most 7 % of tables.

    Planted fault: it was in 54 % when a row had no part in the spread that learned with one seed alone. Rows that fell with
    every seed are another matter.
    """
    generator, found, tables, clusters = np.random.default_rng(0), 0, 300, clusters_of(None, 400)
    for _ in range(tables):
        fell = generator.random((rows, seeds)) < chance
        scores = np.where(fell, 0.5, 0.85 + 0.01 * generator.standard_normal((rows, seeds)))
        outcomes = [[SimpleNamespace(collapsed=one or None, score=score) for one, score in zip(*row, strict=True)]
                    for row in zip(fell.tolist(), scores.tolist(), strict=True)]  # fmt: skip
        spreads = [SeedSpreads(outcomes, some).of(lambda outcome: outcome.score) for some in fell.any(1).tolist()]
        answered = [Jackknifed(row, np.zeros((seeds, 400)), 399.0, clusters) for row in scores]
        places, means, whole = [*combinations(range(rows), 2)], scores.mean(1), fell.all(1)
        margins = [of_pair(answered[one], answered[other], spreads[one], spreads[other]) for one, other in places]
        ps = holm(np.array([margin.p(means[one] - means[other]) for margin, (one, other) in zip(margins, places, strict=True)]))
        found += any(p <= 0.05 and not whole[list(pair)].any() for p, pair in zip(ps, places, strict=True))
    assert found <= 0.07 * tables
