"""Verdicts from leads and margins, how often they are wrong, and how small an effect they find."""

import numpy as np
import pytest

from bench.statistics.intervals import Margin
from reports.claims.evidence import Evidence, together, weighed

WIDE = Margin(0.0, 0, 0.01**2, 1e6)


def of(lead, margin=WIDE):
    return Evidence("a against b", "measured", lead, margin, lambda value: f"{value:.4f}")


@pytest.mark.parametrize(("lead", "told"), [(0.0203, "holds"), (0.0190, "can't tell"), (-0.0203, "does not hold")])
def test_one_comparison_has_the_verdict_of_its_interval(lead, told):
    assert weighed([of(lead)])[0].verdict == told


def test_many_comparisons_need_more():
    sure, *_ = weighed([of(0.0203), *[of(0.0)] * 9])
    assert sure.verdict == "can't tell"


def test_a_count_is_sure_and_an_equal_one_says_nothing():
    assert [part.verdict for part in weighed([of(1e-9, None), of(-1e-9, None), of(0.0, None)])] == [
        "holds",
        "does not hold",
        "can't tell",
    ]


@pytest.mark.parametrize(
    ("leads", "told"),
    [((0.1, 0.1), "holds"), ((0.1, 0.0), "can't tell"), ((0.1, -0.1), "does not hold"), ((0.0, -0.1), "does not hold")],
)
def test_a_claim_is_general(leads, told):
    assert together(weighed([of(lead) for lead in leads])) == told


def test_false_verdicts_are_rare_and_the_smallest_effect_is_found_four_times_out_of_five():
    """Ten comparisons without an effect; then one of the smallest size among them."""
    generator = np.random.default_rng(0)
    families = [weighed([of(lead) for lead in generator.normal(0, 0.01, 10)]) for _ in range(2000)]
    assert np.mean([any(part.verdict != "can't tell" for part in family) for family in families]) <= 0.06
    smallest = float(families[0][0].smallest)
    found = [weighed([of(lead) for lead in generator.normal([smallest] + [0] * 9, 0.01)])[0].verdict for _ in range(1000)]
    assert 0.76 <= np.mean([verdict == "holds" for verdict in found]) <= 0.84
    assert of(0.1, None).smallest(3) is None
