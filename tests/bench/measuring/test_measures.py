"""Losses of probes: with an interval where a score can go both ways, without where it is a distance."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from bench.measuring import measures
from bench.measuring.base_results import BaseAnswers, BaseResults
from bench.measuring.evaluation import Evaluation
from bench.probes.cloze import Cloze
from bench.probes.drift import Drift


def stand_in(kind, name):
    """A probe of the kind without data, for its way of comparing."""
    probe = object.__new__(kind)
    probe.spec, probe.rows = SimpleNamespace(name=name), []
    return probe


@pytest.fixture
def found():
    """Forgetting of a cloze and of a drift probe, the first half forgotten, the representations turned a little."""
    generator = np.random.default_rng(0)
    states = generator.normal(size=(20, 4))
    probes = [stand_in(Cloze, "cloze"), stand_in(Drift, "drift")]
    session = SimpleNamespace(probes=probes, run=SimpleNamespace(strategy=SimpleNamespace(trains=False)))

    def items(right, states=states):
        cloze = pd.DataFrame({"value": right, "weight": 1.0, "right": right})
        drift = pd.DataFrame({"value": np.nan, "weight": 1.0, "layer 0": list(states)})
        return {"cloze": cloze, "drift": drift}

    before, rounded, after = (
        items([1.0] * 20),
        items([0.0] * 3 + [1.0] * 17),
        items([0.0] * 10 + [1.0] * 10, states + 0.01 * generator.normal(size=(20, 4))),
    )
    nothing = pd.DataFrame()
    base = BaseResults(BaseAnswers(nothing, nothing, "plain"), probes=before, rounded=rounded)
    forgotten = measures.forgetting(session, base, Evaluation(nothing, probes=after))
    return session, forgotten


def test_gain_is_over_the_same_words_and_over_the_best():
    """Of ten answers the run has nine right, the base seven in the same words and eight in its best."""

    def right(count):
        return pd.DataFrame({"gold": ["a"] * 10, "prediction": ["a"] * count + ["b"] * (10 - count)})

    evalset = SimpleNamespace(task=SimpleNamespace(spec=SimpleNamespace(metrics=["accuracy"])))
    found = measures.of_task(evalset, BaseAnswers(right(7), right(8), "instruction"), right(9), trained=True)
    assert (found["base_score"], found["gain"].value) == pytest.approx((0.7, 0.2))
    best = found["best_base"]
    assert (best.style, best.score, best.gain.value) == ("instruction", pytest.approx(0.8), pytest.approx(0.1))
    assert best.gain.ci_low <= 0.1 <= best.gain.ci_high and found["gain"].ci_high <= 0.6


def test_a_distance_has_neither_interval_nor_verdict(found):
    cloze, drift = found[1]["cloze"], found[1]["drift"]
    assert cloze.delta == 0.5 and 0 < cloze.ci_low < 0.5 < cloze.ci_high and cloze.verdict == "loss"
    assert 0 < drift.delta < 0.1 and drift.ci_low is drift.ci_high is drift.verdict is None


def test_what_rounding_lost_is_a_part_of_what_was_lost(found):
    cloze = found[1]["cloze"]
    assert (cloze.before, cloze.after) == (1.0, 0.5)
    assert cloze.quantisation.value == pytest.approx(0.15)
    # Three of twenty items lost something: Student's interval does not leave zero out.
    assert cloze.quantisation.ci_low < 0 < cloze.quantisation.ci_high


def test_a_distance_is_no_part_of_relative_forgetting(found):
    session, forgotten = found
    assert measures.relative_forgetting(session.probes, forgotten) == pytest.approx(50)


def test_relative_forgetting_is_of_shares_and_not_of_log_likelihoods(found):
    """A log-likelihood of -1 that falls to -2 is no loss of 100 %: the accuracy beside it counts."""
    session, forgotten = found
    cloze = forgotten["cloze"]
    assert not cloze.share and cloze.others["accuracy"].after == 0.5
    changed = {**forgotten, "cloze": cloze.model_copy(update={"before": -1.0, "after": -2.0})}
    assert measures.relative_forgetting(session.probes, changed) == pytest.approx(50)
    nothing = {**forgotten, "cloze": cloze.model_copy(update={"others": {}})}
    assert measures.relative_forgetting(session.probes, nothing) is None
