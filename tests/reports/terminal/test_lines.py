"""The plain lines below a table."""

from dataclasses import replace

import pytest

from bench.records.outcome import BestBase, Score
from reports.rows.rows import aggregate
from reports.terminal import lines


def told(found: list, out=None) -> list[str]:
    return list(lines.below(aggregate(found, out)))


def test_both_gains_have_their_intervals(make, out):
    pairs = [make.over_best(make.record("instruction"), 130), make.over_best(make.record("full"), 110)]
    rows = aggregate(make.kept(out, pairs), out)

    def written(gain) -> str:
        return f"{100 * gain.value:+.1f} [{100 * gain.low:+.1f}, {100 * gain.high:+.1f}] points"

    told = list(lines.gains(rows))
    assert told == [f"{row.label}: gain {written(row.gain)}, over best {written(row.over_best)}" for row in rows]
    assert rows[0].gain != rows[0].over_best


def test_gains_over_one_base_are_told_once_and_those_of_the_base_itself_not_at_all(make, out):
    record, items = make.record("full")
    before = items.assign(best_before=items["before"])
    best = BestBase(style="plain", score=record.outcome.base_score, gain=record.outcome.gain)
    untouched = make.record("zero-shot", accuracy=0.55, trainable=0)
    rows = aggregate(make.kept(out, [(make.changed(record, best_base=best), before), untouched]), out)
    (told,) = lines.gains(rows)
    assert told.startswith("full: gain +") and told.endswith("points, over best the same")


def test_a_gain_that_all_items_share_is_told(make):
    """Its interval has no width either, but it is no answer of the base's."""
    record = make.record("full")[0]
    gained = make.changed(record, gain=1.0, gain_ci_low=1.0, gain_ci_high=1.0)
    assert list(lines.gains(aggregate([gained]))) == ["full: gain +100.0 [+100.0, +100.0] points"]


def test_other_tasks_and_domains_name_score_items_and_both_gains(make, out):
    pairs = [make.elsewhere(make.elsewhere(make.mixture(seed), "sarcasm", 0.7, 64), "tweets", 0.8, 150) for seed in range(2)]
    found = make.kept(out, pairs)
    (row,) = aggregate(found, out)
    away = row.elsewhere

    def expected(name) -> str:
        score, gain = away[name].score.value, away[name].gain
        told = f"{100 * gain.value:+.1f} [{100 * gain.low:+.1f}, {100 * gain.high:+.1f}] points"
        return f"multitask: {name} {f'{score:.3f}'.lstrip('0')} over {away[name].items} items, gain {told}"

    assert [line for line in told(found, out) if "items, gain" in line] == [expected(n) for n in ("rte", "sarcasm", "tweets")]
    base = replace(row, elsewhere={"rte": replace(away["rte"], over_best=away["rte"].gain)})
    assert f"{expected('rte')}, over best the same" in list(lines.below([base]))


def test_transfer_names_the_run_alone(make, out):
    found = make.kept(out, [make.mixture(), make.alone()])
    transfers = aggregate(found, out)[0].transfers
    (line,) = [line for line in told(found, out) if "transfer" in line]
    rise = transfers[0].rise
    interval = f"[{100 * rise.low:+.1f}, {100 * rise.high:+.1f}]"
    expected = f"multitask: transfer to rte {100 * rise.value:+.1f} points {interval}"
    assert line == f"{expected} against instruction of suite entailment alone over 64 items"
    assert not any("transfer" in line for line in told(found[:1], out))


def test_spread_of_wordings(make):
    found = [make.wordings(make.record("instruction"), {"a": 0.812, "b": 0.841})[0]]
    assert told(found) == ["instruction: unseen wordings .812 to .841, spread 2.9 points over 48 items"]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("malformed", "malformed answers"),
        ("unfinished", "answers cut at the limit of tokens"),
        ("truncated", "items of which a part alone was read"),
    ],
)
def test_answers_that_are_none_are_told_where_there_are_any(make, name, words):
    def with_rate(strategy: str, value: float):
        rate = Score(name=name, value=value, ci_low=0, ci_high=0.1, n=200, share=True, higher_is_better=False)
        record = make.record(strategy)[0]
        return make.changed(record, metrics={**record.outcome.metrics, name: rate})

    assert told([with_rate("full", 0.032), with_rate("frozen", 0.0), make.record("x")[0]]) == [f"full: {words} 3.2 %"]


def test_how_often_the_answer_was_in_what_was_read_stands_beside_the_score(make):
    rate = Score(name="answerable", value=0.95, ci_low=0.9, ci_high=1, n=179, share=True)
    record = make.record("full")[0]
    found = told([make.changed(record, metrics={**record.outcome.metrics, "answerable": rate})])
    assert found == ["full: the answer was in what the model read of 95.0 % of the questions"]


def test_early_stopping_names_what_it_kept_of_each_seed(make):
    found = [make.record("full", seed, validation=values)[0] for seed, values in enumerate([[0.8, 0.871, 0.871], [0.9, 0.8]])]
    assert told(found)[1:] == [
        "full (seed 0): early stopping kept validation 2 of 3 (.871)",
        "full (seed 1): early stopping kept validation 1 of 2 (.900)",
    ]


@pytest.mark.parametrize(("money", "text"), [(0.01234, "0.0123"), (1234.5, "1,234.50"), (0.0, "0")])
def test_money_of_an_api(make, money, text):
    record = make.record("endpoint", trainable=0, probes={})[0]
    record = make.changed(record, cost=record.cost.model_copy(update={"money": money}))
    assert told([record]) == [f"endpoint: the API asks {text}, in the currency of its prices"]


def test_rounding_is_told_where_it_surely_lost_something(make):
    def rounded(strategy: str, low: float, **changes):
        return make.rounded(make.record(strategy, **changes), "wikipedia", (0.009, low, 0.012))[0]

    eight = {"hyperparameters": {"learning_rate": 1e-4, "bits": 8}}
    assert told([rounded("lora-8bit", 0.005, **eight), rounded("x", -0.001), rounded("unknown", 0.005)]) == [
        "lora-8bit: rounding to 8 bit lost +0.009 nats per token of wikipedia before training",
        "unknown: rounding lost +0.009 nats per token of wikipedia before training",
    ]


def test_contaminated_items_are_told_once_for_all_rows(make):
    found = [make.contaminated(make.record(name), "lambada", 3)[0] for name in ("full", "frozen")] + [make.record("x")[0]]
    assert told(found) == ["lambada: 3 of 64 items contaminated by what was trained on (full, frozen)"]


def test_unusual_way_of_asking_is_told(make):
    found = make.record("zero-shot", trainable=0, asked="the model writes its answer, because its API gives no likelihoods")[0]
    assert told([found]) == ["zero-shot: the model writes its answer, because its API gives no likelihoods"]


def test_skipped_run_tells_why(make):
    found = [make.failed("few-shot", reason="nothing could be shown solved", status="skipped")]
    assert told(found) == ["few-shot (seed 0) skipped: nothing could be shown solved"]


def test_record_without_any_of_it_has_no_lines(make):
    assert told([make.record("full")[0]]) == []


def test_seeds_and_collapsed_runs_are_counted(make):
    found = [make.record("full", seed, 0.80 + 0.04 * seed)[0] for seed in range(2)]
    assert told(found) == ["full: seed SD 2.8 points over 2 seeds"]
    fallen = make.changed(found[1], collapsed="one label alone")
    assert told([found[0], fallen]) == [
        "full: seed SD 2.8 points over 2 seeds; 1 of them collapsed",
        "full (seed 1) collapsed: one label alone",
    ]


def test_measures_of_stages_stand_with_their_intervals_below_the_table(make):
    """With one seed there are none to tell."""
    stages = make.stages()
    other = stages.model_copy(update={"backward_transfer": -0.173})
    found = [make.staged(stages), make.staged(other, seed=1)]
    told, of_what = lines.stage_measures(aggregate(found))
    assert told.startswith("full: backward transfer -17.4 [-18.7, -16.1], forward transfer +10.0 [")
    assert told.endswith(" points") and "other seeds on these test items alone" in of_what
    assert list(lines.stage_measures(aggregate(found[:1]))) == []
