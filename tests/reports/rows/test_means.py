"""The parts of a row over several seeds: other metrics, other tasks and domains, costs."""

import pytest

from bench.measuring.scoring import scores
from bench.statistics.estimates import Estimate
from reports.rows.rows import aggregate


def with_malformed(make, pair: tuple, every: int) -> tuple:
    """A record and its items where each so-many-th answer was malformed."""
    record, items = pair
    items = items.assign(malformed=[bool(n % every == 0) if kind == "task" else None for n, kind in enumerate(items["kind"])])
    task = items[items["kind"] == "task"]
    rate = scores(task.assign(prediction=task["malformed"].astype(float), gold=""), ["malformed"])["malformed"]
    macro = scores(task, ["f1_macro"])["f1_macro"]
    return make.changed(record, metrics={**record.outcome.metrics, "f1_macro": macro, "malformed": rate}), items


def test_other_metrics_without_the_score(make, out):
    pairs = [with_malformed(make, make.record("full", seed), 20 + 5 * seed) for seed in range(2)]
    (row,) = aggregate(make.kept(out, pairs), out)
    assert list(row.metrics) == ["f1_macro", "malformed"]
    for name in row.metrics:
        values = [record.outcome.metrics[name].value for record, _ in pairs]
        assert row.metrics[name].value.value == pytest.approx(sum(values) / 2)
        assert row.metrics[name].value.basis == "items and seeds"
    rate = row.metrics["malformed"].value
    assert rate.value == pytest.approx((10 / 200 + 8 / 200) / 2) and 0 < rate.low < rate.value < rate.high


def test_metric_of_a_single_run_keeps_the_record_s_interval(make):
    record, _ = with_malformed(make, make.record("full"), 20)
    (row,) = aggregate([record])
    rate = record.outcome.metrics["malformed"]
    assert row.metrics["malformed"].value == Estimate(0.05, rate.ci_low, rate.ci_high, "items", 1)


def test_metric_that_some_seed_lacks_is_left_out(make):
    records = [with_malformed(make, make.record("full", 0), 20)[0], make.record("full", 1)[0]]
    assert aggregate(records)[0].metrics == {}


def test_other_tasks_over_seeds(make, out):
    pairs = [make.elsewhere(make.mixture(seed, 0.6 + 0.1 * seed), "tweets", 0.7, 150) for seed in range(3)]
    (row,) = aggregate(make.kept(out, pairs), out)
    assert list(row.elsewhere) == ["rte", "tweets"] and [row.kind(name) for name in row.elsewhere] == ["Other tasks", "Domains"]
    for name, count in (("rte", 64), ("tweets", 150)):
        parts = [record.outcome.elsewhere[name] for record, _ in pairs]
        away = row.elsewhere[name]
        assert away.items == count and away.score.basis == away.gain.basis == "items and seeds"
        assert away.score.value == pytest.approx(sum(part.score.value for part in parts) / 3)
        assert away.gain.value == pytest.approx(sum(part.gain.value for part in parts) / 3)
        assert away.score.low < away.score.value < away.score.high and away.gain.low < away.gain.value < away.gain.high


def test_other_tasks_without_items_take_items_from_the_bounds(make):
    found = [make.mixture(seed)[0] for seed in range(2)]
    away = aggregate(found)[0].elsewhere["rte"]
    assert away.score.basis == away.gain.basis == "bounds"
    assert away.gain.low <= sum(record.outcome.elsewhere["rte"].gain.ci_low for record in found) / 2


def test_money_is_averaged_where_all_runs_know_it(make):
    def paid(seed: int, money: float | None) -> object:
        record = make.record("endpoint", seed)[0]
        return make.changed(record, cost=record.cost.model_copy(update={"money": money}))

    assert aggregate([paid(0, 0.5), paid(1, 1.0)])[0].cost.money == pytest.approx(0.75)
    assert aggregate([paid(0, 0.5), paid(1, None)])[0].cost.money is None


def test_losses_are_corrected_for_how_many_probes_the_row_has(make, out):
    record, frame = make.record("full")
    alone = {}
    for name, part in record.outcome.forgetting.items():
        (row,) = aggregate(make.kept(out / name, [(make.changed(record, forgetting={name: part}), frame)]), out / name)
        alone[name] = row.forgetting[name].lost.p
    (row,) = aggregate(make.kept(out / "all", [(record, frame)]), out / "all")
    together = {name: part.lost.p for name, part in row.forgetting.items()}
    assert list(together) == list(alone) and 0.01 < alone["lambada"] < 0.5
    # By hand: the smallest of three counts three times, and the next twice.
    assert alone["wikipedia"] < alone["lambada"] < alone["arc-easy"]
    assert together["wikipedia"] == pytest.approx(3 * alone["wikipedia"], rel=1e-6, abs=0)
    assert together["lambada"] == pytest.approx(2 * alone["lambada"])


def test_the_seed_that_was_given_most_of_a_probe_tells_of_the_row(make):
    records = [make.record("full", seed, contamination={"wikipedia": count})[0] for seed, count in enumerate((2, 5, 0))]
    (row,) = aggregate(records)
    assert (row.forgetting["wikipedia"].contaminated, row.forgetting["lambada"].contaminated) == (5, 0)


def test_an_untouched_model_gains_exactly_nothing(make, out):
    """One more answer that training might have turned is counted where there was training alone."""
    pairs = [make.record("zero-shot", 0, 0.55, trainable=0), make.record("full", 0, 0.55)]
    still, trained = (row.gain for row in aggregate(make.kept(out, pairs), out))
    assert (still.value, still.low, still.high) == (0, 0, 0) and trained.low < 0 < trained.high
