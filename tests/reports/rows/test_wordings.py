"""A row's scores under single wordings, and their spread."""

import pandas as pd
import pytest

from bench.measuring.scoring import scores
from reports.rows.rows import aggregate


def test_spread_is_the_mean_of_the_runs_spreads(make):
    found = [
        make.wordings(make.record("instruction", seed), values)[0]
        for seed, values in enumerate([{"a": 0.80, "b": 0.84}, {"a": 0.86, "b": 0.80}])
    ]
    wordings = aggregate(found)[0].wordings
    assert {words: score.value for words, score in wordings.scores.items()} == pytest.approx({"a": 0.83, "b": 0.82})
    assert (wordings.low, wordings.high, wordings.spread) == pytest.approx((0.80, 0.85, 0.05))
    assert wordings.spread == pytest.approx(sum(record.outcome.robustness.spread for record in found) / 2)
    assert wordings.items == 48 and {score.basis for score in wordings.scores.values()} == {"bounds"}


def test_a_wording_s_interval_is_made_as_the_score_s_of_its_answers(make, out):
    def asked_alone(record, items):
        task = items[items["kind"] == "task"]
        alone = [task.assign(kind="wording", name=words, before=None) for words in ("a", "b")]
        scored = scores(task, ["accuracy"])["accuracy"]
        record, _ = make.wordings((record, items), {"a": scored.value, "b": scored.value})
        return record, pd.concat([items, *alone], ignore_index=True)

    pairs = [asked_alone(*make.record("instruction", seed, 0.7 + 0.05 * seed)) for seed in range(2)]
    (row,) = aggregate(make.kept(out, pairs), out)
    for score in row.wordings.scores.values():
        assert score.basis == "items and seeds" and score.seed_sd == pytest.approx(row.score.seed_sd)
        assert (score.value, score.low, score.high) == pytest.approx((row.score.value, row.score.low, row.score.high))


def test_wordings_that_some_seed_lacks_are_left_out(make):
    records = [make.wordings(make.record("full", 0), {"a": 0.8, "b": 0.9})[0], make.record("full", 1)[0]]
    assert aggregate(records)[0].wordings is None
