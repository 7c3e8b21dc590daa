"""Records become rows: over seeds and nothing else, and failed runs are never lost."""

import math
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from bench.measuring.scoring import rise, scores
from bench.records.record import Tuning
from bench.records.store import as_text
from reports.rows.numbers import Quantity
from reports.rows.rows import MIXED, aggregate, determinants, flat, grouped, probe_names, ranked


def test_seeds_become_one_row_with_means(make, out):
    found = make.kept(out, [make.record("full", seed, 0.80 + 0.02 * seed) for seed in range(3)])
    (row,) = aggregate(found, out)
    assert row.seeds == "0, 1, 2"
    assert row.score.value == pytest.approx(0.82) and row.score.runs == 3
    assert row.gain.value == pytest.approx(0.27)
    assert row.score.basis == row.gain.basis == "items and seeds"
    assert row.score.low < row.score.value < row.score.high
    assert row.cost.train_seconds == pytest.approx(82.5) and row.cost.train_examples == 512
    for name, probe in row.forgetting.items():
        assert probe.lost.value == pytest.approx(sum(r.outcome.forgetting[name].delta for r in found) / 3)
        assert probe.lost.basis == "items and seeds"


def test_the_gain_over_the_bases_best_words_is_paired_with_those(make, out):
    """Over seeds too: the same 140 of 200 answers of the base are right."""
    found = make.kept(out, [make.over_best(make.record("full", seed, 0.80 + 0.02 * seed), right=140) for seed in range(3)])
    (row,) = aggregate(found, out)
    assert (row.gain.value, row.over_best.value) == (pytest.approx(0.27), pytest.approx(0.12))
    assert row.over_best.basis == "items and seeds" and row.over_best.low < 0.12 < row.over_best.high
    # Its base is right where this one is wrong, so that the interval is wider than one paired with the other base.
    assert row.over_best.high - row.over_best.low > row.gain.high - row.gain.low


def test_forgetting_of_a_loss_is_positive_where_the_loss_rose(make, out):
    found = make.kept(out, [make.record("full", seed) for seed in range(2)])
    probe = aggregate(found, out)[0].forgetting["wikipedia"]
    assert probe.after > probe.before
    assert 0 < probe.lost.low < probe.lost.value < probe.lost.high
    assert probe.lost.value == pytest.approx(probe.after - probe.before)


def test_without_items_the_records_bounds_hold_items(make, out):
    found = [make.record("full", seed, 0.80 + 0.02 * seed)[0] for seed in range(2)]
    for rows in (aggregate(found), aggregate(found, out)):
        score = rows[0].score
        assert score.basis == "bounds"
        bounds = sum(record.outcome.score.ci_low for record in found) / 2
        seeds = stats.t.ppf(0.975, 1) * np.std([0.80, 0.82], ddof=1) / np.sqrt(2)
        assert score.value - score.low == pytest.approx(np.hypot(0.81 - bounds, seeds))


def rescored(make, pair: tuple, name: str) -> tuple:
    """A record and its items with another metric of the same answers as its score."""
    record, items = pair
    task = items[items["kind"] == "task"]
    found = scores(task, [name])[name]
    gain, low, high = rise(task, task.assign(prediction=task["before"]), name)
    return make.changed(record, score=found, gain=gain, gain_ci_low=low, gain_ci_high=high), items


def test_any_metric_made_of_sums_has_an_interval_over_seeds_and_items(make, out):
    pairs = [rescored(make, make.record("full", seed, 0.8 + 0.05 * seed), "f1_macro") for seed in range(3)]
    (row,) = aggregate(make.kept(out, pairs), out)
    assert row.score.basis == row.gain.basis == "items and seeds" and row.quantity.name == "f1_macro"
    own = pairs[0][0].outcome.score
    assert row.score.high - row.score.low > own.ci_high - own.ci_low > 0
    assert row.gain.low < row.gain.value < row.gain.high


def test_metric_that_its_items_do_not_make_keeps_its_bounds(make, out):
    pairs = [make.record("full", seed) for seed in range(2)]
    renamed = [(make.changed(r, score=r.outcome.score.model_copy(update={"name": "f1_macro"})), items) for r, items in pairs]
    (row,) = aggregate(make.kept(out, renamed), out)
    assert row.score.basis == row.gain.basis == "bounds"


def test_gain_of_a_metric_where_lower_is_better_is_positive_where_it_fell(make, out):
    pairs = []
    for seed in range(2):
        record, items = make.record("full", seed)
        before, after = [[2.0, 1.0], [4.0, 2.0]] * 100, [[1.5 + 0.1 * seed, 1.0], [3.0, 2.0]] * 100
        task = items["kind"] == "task"
        items.loc[task, "before"] = [as_text(value) for value in before]
        items.loc[task, "prediction"] = [as_text(value) for value in after]
        frames = [pd.DataFrame({"gold": None, "prediction": side}) for side in (after, before)]
        gain, low, high = rise(*frames, "perplexity")
        changes = {
            "score": scores(frames[0], ["perplexity"])["perplexity"],
            "gain": gain,
            "gain_ci_low": low,
            "gain_ci_high": high,
        }
        pairs.append((make.changed(record, **changes), items))
    (row,) = aggregate(make.kept(out, pairs), out)
    assert row.score.basis == row.gain.basis == "items and seeds" and not row.higher_is_better
    assert 0 < row.gain.low < row.gain.value < row.gain.high


def test_rows_that_train_nothing_have_one_run_beside_several_seeds(make, out):
    rows = {row.setup.strategy: row for row in aggregate(make.kept(out, make.suite(2)), out)}
    assert (len(rows["zero-shot"].records), len(rows["full"].records)) == (1, 2)
    assert (rows["zero-shot"].score.basis, rows["full"].score.basis) == ("items", "items and seeds")
    assert (rows["zero-shot"].seeds, rows["full"].seeds) == ("none", "0, 1")
    assert not rows["zero-shot"].trains and rows["full"].trains


@pytest.mark.parametrize(
    "change",
    [
        {"suite": "other"},
        {"model": "other"},
        {"task": "other"},
        {"hyperparameters": {"learning_rate": 3e-5}},
        {"tuning": Tuning(trials=4)},
        {"inputs": {"precision": "bf16"}},
        {"inputs": {"budget": "64examples"}},
    ],
)
def test_what_is_not_the_seed_sets_rows_apart(make, change):
    records = [make.record("full", 0)[0], make.record("full", 1, **change)[0]]
    assert len(aggregate(records)) == 2


def test_searches_that_chose_alike_are_no_further_seeds(make):
    """Planted fault: the same trainings, each twice, were a row of seeds 0, 0, 1, 1 with half the variance."""
    records = [
        make.record("full", seed, inputs={"search": {"options": {"trials": 4, "seeds": count}}})[0]
        for count in (1, 2)
        for seed in (0, 1)
    ]
    rows = aggregate(records)
    assert [row.seeds for row in rows] == ["0, 1", "0, 1"] and len({row.label for row in rows}) == 2


def test_variant_says_how_rows_of_a_strategy_differ(make):
    small, large = ({"learning_rate": 2e-5, "peft": {"r": r}} for r in (8, 16))
    records = [make.record("lora-8bit", 0, hyperparameters=small)[0], make.record("lora-8bit", 1, hyperparameters=large)[0]]
    rows = aggregate([*records, make.record("full")[0]])
    assert [row.label for row in rows] == ["lora-8bit (peft.r=8)", "lora-8bit (peft.r=16)", "full"]


def test_a_row_has_one_name_on_all_tasks(make):
    """Choices and ranks over tasks know it by that. Planted fault: with two budgets on one task, it was left out of both."""
    small = {"budget": "64examples", "inputs": {"budget": "64examples"}}
    asked = [("sst2", {}), ("rte", {}), ("sst2", small)]
    records = [make.record("full", task=task, run_id=str(n), **more)[0] for n, (task, more) in enumerate(asked)]
    names = ["full (budget=512examples)", "full (budget=512examples)", "full (budget=64examples)"]
    assert [row.label for row in aggregate(records)] == names
    assert [row.label for row in aggregate(records[:2])] == ["full", "full"]


def test_what_only_one_row_has_tells_it_apart(make):
    found = [
        make.record("full", n, inputs=each)[0] for n, each in enumerate([{"task": "x"}, {"task": "x", "probe_every": "25%"}])
    ]
    assert [row.label for row in aggregate(found)] == ["full", "full (probe_every=25%)"]


def test_variant_stays_short(make):
    many = [{f"p{n}": str(value) * 50 for n in range(9)} for value in (1, 2)]
    rows = aggregate([make.record("full", n, hyperparameters=each)[0] for n, each in enumerate(many)])
    assert rows[0].variant.endswith(", …") and len(rows[0].variant) < 150


def labels(make, settings, **changes):
    records = [make.record("full", hyperparameters=each, run_id=make.digest(each), **changes)[0] for each in settings]
    return [row.label for row in aggregate(records)]


def test_a_variant_names_what_tells_its_row_apart(make):
    """The fifth name, where four are shown; six names, where six are needed; the end of a long value."""
    base = {"batch": 16, "epochs": 1, "learning_rate": 2e-5, "warmup": 0.1, "zeta": 1}
    others = {"batch": 32, "epochs": 3, "learning_rate": 1e-4, "warmup": 0.0}
    last = "full (batch=16, epochs=1, learning_rate=2e-05, zeta=9, …)"
    assert labels(make, [base, base | others, base | {"zeta": 9}])[2] == last
    axes = [{f"p{bit}": number >> bit & 1 for bit in range(6)} for number in range(64)]
    assert len(set(labels(make, axes))) == 64
    paths = [{"adapter": f"/a/folder/of/many/adapters/number-{number}"} for number in (1, 2)]
    assert labels(make, paths) == ["full (adapter=/a/folder/o…ers/number-1)", "full (adapter=/a/folder/o…ers/number-2)"]


def test_rows_that_nothing_shown_tells_apart_are_told_apart_by_their_ids(make):
    inside = [{"text": f"{'a' * 30}{middle}{'a' * 30}"} for middle in "bc"]
    assert labels(make, inside) == [f"full (text=aaaaaaaaaaa…aaaaaaaaaaaa, run={make.digest(each)[:8]})" for each in inside]
    known, unknown = make.record("full")[0], make.record("full", provenance=None, run_id="0123456789abcdef")[0]
    assert [row.label for row in aggregate([known, unknown])] == [f"full (run={known.run_id[:8]})", "full (run=01234567)"]


def test_failed_and_skipped_runs_are_rows_with_their_reasons(make):
    skipped = make.failed("lora-8bit", reason="needs a GPU", status="skipped")
    records = [make.record("frozen", 0)[0], make.failed("frozen", 1), make.failed("frozen", 2), skipped]
    rows = aggregate(records)
    assert [(row.status, row.seeds) for row in rows] == [("ok", "0"), ("failed", "1, 2"), ("skipped", "0")]
    assert rows[1].reason == "RuntimeError: out of memory" and rows[1].score is None
    assert rows[2].reason == "needs a GPU"


def test_probe_that_some_seed_lacks_is_left_out(make):
    records = [make.record("full", 0)[0], make.record("full", 1, forgetting={})[0]]
    assert aggregate(records)[0].forgetting == {}


def test_a_record_given_twice_counts_once(make):
    record = make.record("full")[0]
    assert len(aggregate([record, record])[0].records) == 1


def test_ranking_puts_the_best_first_and_failures_last(make):
    records = [make.failed("a"), make.record("b", accuracy=0.7)[0], make.record("c", accuracy=0.9)[0]]
    assert [row.setup.strategy for row in ranked(aggregate(records))] == ["c", "b", "a"]


def test_ranking_puts_the_lowest_first_where_lower_is_better(make):
    records = [make.record(name, accuracy=accuracy)[0] for name, accuracy in (("b", 0.7), ("c", 0.9))]
    lower = [make.changed(r, score=r.outcome.score.model_copy(update={"higher_is_better": False})) for r in records]
    assert [row.setup.strategy for row in ranked(aggregate(lower))] == ["b", "c"]


def test_groups_and_probes(make):
    rows = aggregate([make.record("full")[0], make.record("full", task="rte")[0], make.record("frozen")[0]])
    assert {key[2]: len(group) for key, group in grouped(rows).items()} == {"sst2": 2, "rte": 1}
    assert probe_names(rows) == {
        "wikipedia": Quantity("loss (nats per token)", share=False),
        **dict.fromkeys(("lambada", "arc-easy"), Quantity("accuracy", share=True)),
    }


def test_a_probe_that_is_measured_in_two_ways_has_no_unit_of_one_of_them(make):
    """`run` shows such tables at its end."""
    nats, share = ("loss (nats per token)", 3.2, 3.5), ("accuracy", 0.5, 0.45)
    rows = aggregate(
        [make.record(name, probes={"trivia": part})[0] for name, part in (("a", nats), ("b", share), ("c", share))]
    )
    assert probe_names(rows) == probe_names(rows[::-1]) == {"trivia": MIXED}


def test_flat():
    assert flat({"a": {"b": [1, {"c": 2}]}, "d": []}) == {"a.b.0": 1, "a.b.1.c": 2, "d": []}


def test_determinants_leave_the_seed_out(make):
    first, second = (determinants(make.record("full", seed)[0]) for seed in (0, 1))
    assert first == second and "seed" not in first and first["budget"] == "512examples"


def test_no_number_is_nan(make, out):
    for row in aggregate(make.kept(out, make.suite(2)), out):
        estimates = [row.score, row.gain, *(probe.lost for probe in row.forgetting.values())]
        assert all(math.isfinite(number) for e in estimates for number in (e.value, e.low, e.high))


def test_reports_need_no_torch(make, out):
    make.kept(out, [*make.suite(2), make.mixture(), make.alone()])  # several seeds: their answers are counted
    check = (
        "import sys, pathlib; from reports.page import leaderboard; from reports.terminal import table; "
        "from reports.paper import forgetting; from bench.records import store; "
        "out = pathlib.Path(sys.argv[1]); "
        "leaderboard.write_page(out, out); table.print_results(out, lambda *_: True); "
        "forgetting.write_tables(store.read_all(out), out, out / 'f.md', None); "
        "print({'torch', 'transformers', 'datasets', 'evaluate'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", check, out], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "set()"
