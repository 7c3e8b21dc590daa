"""Gain and forgetting where rows had spent the same, by hand."""

import numpy as np
import pytest
from scipy.stats import t

from bench.records.outcome import Point
from reports.rows import equal_cost
from reports.rows.equal_cost import (
    HELD,
    SPENT,
    at_cost,
    frugal_shares,
    half_widths_at_cost,
    sparing_shares,
    times_the_least,
    with_loss,
)
from reports.rows.rows import aggregate

PROBES = {"lambada": ("accuracy", 0.5, 0.4)}


def watched(make, name: str, seconds: float, places: list[tuple[float, float]]):
    """A run of 64 examples, four points of its curve 16 apart."""
    record = make.record(name, curve=make.curve([(gain, {"lambada": lost}) for gain, lost in places]), probes=PROBES)[0]
    cost = record.cost.model_copy(update={"train_seconds": seconds, "train_examples": 64, "train_flops": 100})
    return make.changed(record, cost=cost)


def test_the_dearer_row_is_read_where_it_had_spent_as_much(make):
    cheap = watched(make, "cheap", 40.0, [(0.05, 0.0), (0.1, 0.0), (0.15, 0.01), (0.2, 0.02)])
    dear = watched(make, "dear", 100.0, [(0.1, 0.02), (0.2, 0.04), (0.25, 0.06), (0.3, 0.08)])
    rows = aggregate([cheap, dear])
    cost = equal_cost.equal_cost(rows, SPENT["training"])
    assert cost == 40.0
    gains = {row.label: at_cost(row, SPENT["training"], cost, lambda point: point.gain) for row in rows}
    # 40 s of 100 are 25.6 of 64 examples: 3/5 of the way from the point at 16 to that at 32.
    assert gains == pytest.approx({"cheap": 0.2, "dear": 0.1 + 0.6 * 0.1})
    lost = {row.label: at_cost(row, SPENT["training"], cost, lambda point: point.forgetting["lambada"]) for row in rows}
    assert lost == pytest.approx({"cheap": 0.02, "dear": 0.02 + 0.6 * 0.02})
    # Both took as many FLOPs: each is read at its end.
    assert [at_cost(row, SPENT["flops"], 100, lambda point: point.gain) for row in rows] == pytest.approx([0.2, 0.3])


def test_what_is_not_known(make):
    row = aggregate([watched(make, "short", 100.0, [(0.1, 0.0)])])[0]
    assert at_cost(row, SPENT["training"], 50.0, lambda point: point.gain) is None  # its curve ends at 25 s
    assert at_cost(aggregate([make.record("full")[0]])[0], SPENT["training"], 10.0, lambda point: point.gain) is None
    assert equal_cost.equal_cost(aggregate([make.record("full")[0]]), SPENT["training"]) is None


def of_seeds(make, name: str, seconds: float, *paths: list[tuple[float, float]]) -> list:
    """A run for each path."""
    return [
        make.changed(watched(make, name, seconds, path), seed=seed, run_id=make.digest([name, seed]))
        for seed, path in enumerate(paths)
    ]


def gained(point):
    return point.gain


@pytest.mark.parametrize(
    "steps",
    [([50, 100, 150, 203], [49, 99, 148, 198]), ([50, 100, 150, 198], [50, 100, 150, 200, 203])],
    ids=["at shares of a budget in seconds", "every 50 steps"],
)
def test_seeds_of_unlike_numbers_of_steps_are_read_to_their_ends(make, steps):
    """Planted fault: at steps that both had, a table under a budget in seconds had no gain at equal cost, and said nothing."""
    runs = []
    for seed, places in enumerate(steps):
        curve = [Point(step=n, examples=16 * n, score=0.5, gain=0.2 * n / places[-1], forgetting={}) for n in places]
        record = make.record("full", seed, curve=curve)[0]
        cost = record.cost.model_copy(update={"train_seconds": 90.0, "train_examples": 16 * places[-1]})
        runs.append(make.changed(record, cost=cost))
    (row,) = aggregate(runs)
    assert at_cost(row, SPENT["training"], 90.0, gained) == pytest.approx(0.2)
    assert at_cost(row, SPENT["training"], 45.0, gained) == pytest.approx(0.1, abs=2e-3)
    assert half_widths_at_cost([row], SPENT["training"], 90.0, gained) == {row.label: pytest.approx(0)}


def test_other_seeds_move_a_row_where_it_had_spent_as_much(make):
    """40 of 100 s are 3/5 of the way from the first point to the second: .16 and .28 with a mean of .22."""
    dear = of_seeds(make, "dear", 100.0, [(0.1, 0.02), (0.2, 0.04)], [(0.1, 0.02), (0.4, 0.04)])
    cheap = of_seeds(make, "cheap", 40.0, *[[(0.05, 0.0), (0.1, 0.0), (0.15, 0.0), (0.2, 0.0)]] * 2)
    rows, training = aggregate([*dear, *cheap]), SPENT["training"]
    at = {row.label: at_cost(row, training, 40.0, gained) for row in rows}
    assert at == pytest.approx({"dear": 0.22, "cheap": 0.2})
    own = np.var([0.16, 0.28], ddof=1)
    halves = {label: t.ppf(0.975, 2) * np.sqrt(each / 2) for label, each in (("dear", own), ("cheap", own / 2))}
    assert half_widths_at_cost(rows, training, 40.0, gained) == pytest.approx(halves)
    # What all seeds lost alike does not vary.
    lost = half_widths_at_cost(rows, training, 40.0, lambda point: point.forgetting["lambada"])
    assert lost == pytest.approx({"dear": 0.0, "cheap": 0.0})


def test_a_row_that_collapsed_makes_no_other_row_s_interval_narrow(make):
    """Its two seeds end alike. Planted fault: pooled with them, three collapsed rows of four left intervals that held .75."""
    row = of_seeds(make, "full", 40.0, [(0.1, 0.0)] * 4, [(0.1, 0.0)] * 3 + [(0.3, 0.0)])
    fallen = [
        make.changed(run, collapsed="every item is answered with 1")
        for name in ("frozen", "lora")
        for run in of_seeds(make, name, 40.0, *[[(0.0, 0.0)] * 4] * 2)
    ]
    alone = half_widths_at_cost(aggregate(row), SPENT["training"], 40.0, gained)
    assert half_widths_at_cost(aggregate([*row, *fallen]), SPENT["training"], 40.0, gained)["full"] == alone["full"]
    # Where every row collapsed they are all that is known.
    assert set(half_widths_at_cost(aggregate(fallen), SPENT["training"], 40.0, gained)) == {"frozen", "lora"}


def test_where_an_interval_over_seeds_is_not_known(make):
    one = [watched(make, name, 40.0, [(0.1, 0.0)] * 4) for name in ("full", "frozen")]
    assert half_widths_at_cost(aggregate(one), SPENT["training"], 40.0, gained) == {}
    short = of_seeds(make, "short", 100.0, [(0.1, 0.0)], [(0.2, 0.0)])
    assert half_widths_at_cost(aggregate(short), SPENT["training"], 50.0, gained) == {}


def test_what_is_spent_on_the_way_has_shares_too(make, out):
    """The dear row is surely better, and nothing takes less than the cheap one."""
    found = [make.record(*row) for seed in range(2) for row in (("full", seed, 0.9), ("frozen", seed, 0.7))]
    costs = [{"train_seconds": 100.0, "train_flops": 10}, {"train_seconds": 40.0, "train_flops": 20}]
    dearer = [
        (make.changed(run, cost=run.cost.model_copy(update=cost)), frame)
        for (run, frame), cost in zip(found, costs * 2, strict=True)
    ]
    rows = aggregate(make.kept(out, dearer), out)
    assert frugal_shares(rows, SPENT["training"]) == pytest.approx({"full": 1.0, "frozen": 1.0}, abs=0.01)
    assert frugal_shares(rows, SPENT["flops"]) == pytest.approx({"full": 1.0, "frozen": 0.0}, abs=0.01)


def test_shares_of_rows_that_are_alike_lie_between(make, out):
    rows = aggregate(make.kept(out, [make.record("full", accuracy=0.8), make.record("frozen", accuracy=0.8)]), out)
    shares = frugal_shares(rows, HELD["saved"])
    assert all(0.2 < share < 0.8 for share in shares.values()) and sum(shares.values()) == pytest.approx(1.0, abs=0.01)
    assert frugal_shares(rows[:1], HELD["saved"]) == {}


def test_seconds_and_memory_of_one_seed_are_held_against_nobody(make, out):
    """Planted fault: of the same answers twice, for 40 s and a hundredth more, the one was unbeaten in each draw."""
    found = [make.record("full", accuracy=0.8), make.record("again", accuracy=0.8)]
    slower = make.changed(found[1][0], cost=found[1][0].cost.model_copy(update={"train_seconds": 81.51}))
    rows = aggregate(make.kept(out, [found[0], (slower, found[1][1])]), out)
    assert frugal_shares(rows, SPENT["training"]) == frugal_shares(rows, HELD["memory"]) == {}
    assert sparing_shares(rows, HELD["memory"], "wikipedia") == {}
    assert sparing_shares(rows, HELD["saved"], "wikipedia").keys() == {"full", "again"}


def test_who_holds_less_is_not_beaten(make, out):
    found = [make.record("full", accuracy=0.9), make.record("lora", accuracy=0.8, trainable=2_442_240)]
    assert frugal_shares(aggregate(make.kept(out, found), out), HELD["saved"]) == pytest.approx(
        {"full": 1.0, "lora": 1.0}, abs=0.01
    )


def test_seconds_of_few_seeds_are_not_taken_for_certain(make):
    """One strategy under two names, whose seconds vary by 5 %. Planted fault: that which happened to be a hair quicker was
    unbeaten in every draw, and the other in half of them."""
    curve = [(0.05, 0.0), (0.1, 0.0), (0.15, 0.0), (0.2, 0.0)]
    rows = aggregate([
        make.changed(watched(make, name, seconds, curve), seed=seed, run_id=make.digest([name, seed]))
        for name, every in (("one", (95.0, 105.0, 100.0)), ("other", (96.0, 105.0, 100.0)))
        for seed, seconds in enumerate(every)
    ])  # fmt: skip
    # Of the quarter of draws in which it is dearer and gains less, each is beaten.
    shares = frugal_shares(rows, SPENT["training"])
    assert shares == {"one": pytest.approx(0.75, abs=0.06), "other": pytest.approx(0.75, abs=0.06)}
    # What is counted is the same with each seed, and does not move: who gains more is unbeaten.
    assert sum(frugal_shares(rows, SPENT["flops"]).values()) == pytest.approx(1.0)


def losing(make, out, **losses):
    """Rows that lost so much of wikipedia, the later ones with fewer bytes to keep."""
    sizes = dict(zip(losses, (134_515_008, 44_000_000, 2_442_240), strict=False))
    probes = {name: {"wikipedia": ("loss (nats per token)", 3.2, 3.2 + lost)} for name, lost in losses.items()}
    made = [make.record(name, trainable=sizes[name], probes=probes[name]) for name in losses]
    return aggregate(make.kept(out, made), out)


def test_who_forgets_less_for_less_is_not_beaten(make, out):
    """The dear row forgets most; of the other two one forgets less and one keeps less."""
    rows = losing(make, out, full=0.5, frozen=0.1, lora=0.3)
    assert sparing_shares(rows, HELD["saved"], "wikipedia") == {"full": 0.0, "frozen": 1.0, "lora": 1.0}
    assert sparing_shares(rows[:1], HELD["saved"], "wikipedia") == sparing_shares(rows, HELD["saved"], "another") == {}


def test_losses_that_are_nearly_alike_leave_open_who_is_beaten(make, out):
    shares = sparing_shares(losing(make, out, full=0.2, frozen=0.2), HELD["saved"], "wikipedia")
    assert shares["frozen"] == 1.0 and 0.05 < shares["full"] < 0.95


def test_a_loss_without_an_interval_and_losses_in_two_units_are_held_against_no_cost(make):
    """Planted fault: a distance from the base, which never has one, was taken for certain."""
    bare = [make.lost(make.record(name), "wikipedia", (0.1, None, None))[0] for name in ("full", "frozen")]
    assert sparing_shares(aggregate(bare), HELD["saved"], "wikipedia") == {}
    share = make.record("lora", probes={"wikipedia": ("accuracy", 0.5, 0.4)})[0]
    assert with_loss(aggregate([make.record("full")[0], share]), HELD["saved"], "wikipedia") == []


def test_costs_are_multiples_of_the_least(make):
    """81.5 and 82.5 s; 40 and 42 s."""
    slow = [make.record("slow", seed)[0] for seed in range(2)]
    fast = [make.record("fast", seed)[0] for seed in range(2)]
    fast = [
        make.changed(run, cost=run.cost.model_copy(update={"train_seconds": s}))
        for run, s in zip(fast, (40.0, 42.0), strict=True)
    ]
    found = times_the_least(aggregate([*slow, *fast]), SPENT["training"])
    assert found["fast"] == (1.0, None)
    value, (low, high) = found["slow"]
    assert value == pytest.approx(2.0) and low < 2 < high
    assert times_the_least(aggregate(slow), SPENT["training"]) == {}


def test_no_row_is_lost_under_anothers_name(make):
    """Rows that differ in the fifth of five hyper-parameters alone."""
    base = {"batch": 16, "epochs": 1, "learning_rate": 2e-5, "warmup": 0.1, "zeta": 1}
    settings = [base, base | {"zeta": 9}, {"batch": 32, "epochs": 3, "learning_rate": 1e-4, "warmup": 0.0, "zeta": 1}]
    records = [make.record("full", hyperparameters=each)[0] for each in settings]
    assert len(times_the_least(aggregate(records), SPENT["training"])) == 3
