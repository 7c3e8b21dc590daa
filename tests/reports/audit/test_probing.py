"""Numbers of probes from their values, by hand."""

import math

import pandas as pd
import pytest

from reports.audit.probing import ProbeItems, probe_numbers, relative_loss


def items(before, after, **more):
    return pd.DataFrame({"before_value": before, "value": after, "weight": 1.0, **more})


def test_a_loss_weighs_its_tokens_and_a_rise_is_a_loss():
    probe = ProbeItems(
        "lm-loss", {}, items([2.0, 4.0], [3.0, 5.0], weight=[3.0, 1.0], bytes=[8.0, 4.0], rounded_value=[2.5, 4.0])
    )
    found = probe_numbers(probe)
    assert (found["before",], found["after",], found["delta",]) == (2.5, 3.5, 1.0)
    assert found["quantisation", "value"] == pytest.approx((3 * 2.5 + 4) / 4 - 2.5)
    assert found["others", "bits per byte", "before"] == pytest.approx(10 / math.log(2) / 12)
    assert (found["n",], found["higher_is_better",]) == (2, 0)


def test_a_log_likelihood_that_falls_is_a_loss_and_accuracy_stands_beside():
    probe = ProbeItems("cloze", {}, items([-1.0, -1.0], [-2.0, -4.0], before_right=[1.0, 1.0], right=[1.0, 0.0]))
    found = probe_numbers(probe)
    assert found["delta",] == 2.0 and ("quantisation", "value") not in found
    assert (found["others", "accuracy", "before"], found["others", "accuracy", "after"]) == (1.0, 0.5)
    assert relative_loss([probe]) == 50.0


def test_similarity_is_the_auc_or_the_correlation():
    golds = {"gold": ["0", "1", "1", "0"]}
    probe = ProbeItems("similarity", {}, items([0.1, 0.9, 0.8, 0.2], [0.1, 0.9, 0.15, 0.2], **golds))
    found = probe_numbers(probe)
    assert (found["before",], found["after",], found["share",]) == (1.0, 0.75, 1.0)
    assert relative_loss([probe]) == 25.0
    graded = ProbeItems("similarity", {"gold": "graded"}, items([1.0, 2.0, 3.0], [3.0, 2.0, 1.0], gold=["1", "2.5", "5"]))
    assert probe_numbers(graded)["before",] == pytest.approx(1) and probe_numbers(graded)["after",] == pytest.approx(-1)
    same = ProbeItems("similarity", {}, items([0.1, 0.9], [0.1, 0.9], gold=["1", "1"]))
    assert probe_numbers(same)["after",] == 0.5


def test_a_distance_is_not_recomputed_and_no_part_of_relative_loss():
    probe = ProbeItems("drift", {}, items([float("nan")] * 2, [float("nan")] * 2))
    assert ("before",) not in probe_numbers(probe) and relative_loss([probe]) is None
