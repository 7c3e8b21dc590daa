"""Power against simulation and against the numbers that were known before."""

import numpy as np
import pytest
from scipy.optimize import brentq
from scipy.stats import binomtest, ttest_1samp

from bench.statistics import power


@pytest.mark.parametrize(
    ("items", "loss", "discordance", "found"),
    [(14, 0.1, 0.2, 0.01), (14, 0.2, 0.3, 0.07), (64, 0.1, 0.2, 0.33), (64, 0.2, 0.3, 0.83)],
)
def test_known_power_of_mcnemars_test(items, loss, discordance, found):
    assert power.power_of_share(loss, discordance, items) == pytest.approx(found, abs=0.01)


def test_mcnemar_by_simulation():
    generator, found = np.random.default_rng(0), 0
    for _ in range(2000):
        lost, won, _ = generator.multinomial(64, [0.2, 0.1, 0.7])
        found += lost > won and binomtest(int(lost), int(lost + won)).pvalue <= 0.05
    assert power.power_of_share(0.1, 0.3, 64) == pytest.approx(found / 2000, abs=0.04)


def smallest_mean_loss(spread, items):
    """That the t test finds four times out of five."""
    return brentq(lambda loss: power.power_of_mean(loss, spread, items) - power.POWER, 0.0, 20 * spread)


def test_means_by_simulation():
    generator = np.random.default_rng(0)
    loss = smallest_mean_loss(spread=0.5, items=20)
    tests = ttest_1samp(generator.normal(loss, 0.5, (4000, 20)), 0, axis=1)
    assert np.mean((tests.pvalue < 0.05) & (tests.statistic > 0)) == pytest.approx(0.8, abs=0.02)


@pytest.mark.parametrize("items", [5, 14, 64, 500])
def test_an_intervals_width_says_the_same_as_the_spread_of_the_differences(items):
    from scipy.stats import t

    half = 0.5 * t.isf(0.025, items - 1) / items**0.5
    found = power.smallest_shown(0.1 - half, 0.1 + half, items)
    assert found == pytest.approx(smallest_mean_loss(0.5, items), rel=0.05)


@pytest.mark.parametrize(("low", "high"), [(None, None), (0.0, 0.0)])
def test_without_a_spread_nothing_is_said(low, high):
    assert power.smallest_shown(low, high, 14) is None


def test_log_odds_show_the_same_damage_on_a_third_of_the_items():
    """Each item's log-odds move; the answer is right where they are above zero, and mostly stays what it was."""
    generator = np.random.default_rng(0)
    before = generator.normal(0.3, 2.0, 400_000)
    after = before + generator.normal(-0.3, 0.6, before.size)
    lost, won = np.mean((before > 0) & (after <= 0)), np.mean((before <= 0) & (after > 0))
    continuous = power.items_for_mean(float(np.mean(before - after)), float(np.std(before - after)))
    right_answers = power.items_for_share(float(lost - won), float(lost + won))
    assert right_answers > 3 * continuous
    found = ttest_1samp((before - after)[generator.integers(before.size, size=(2000, continuous))], 0, axis=1)
    assert np.mean((found.pvalue < 0.05) & (found.statistic > 0)) == pytest.approx(0.8, abs=0.04)
    lost, won, _ = generator.multinomial(right_answers, [lost, won, 1 - lost - won], size=1000).T
    told = [a > b and binomtest(int(a), int(a + b)).pvalue <= 0.05 for a, b in zip(lost, won, strict=True)]
    assert np.mean(told) == pytest.approx(0.8, abs=0.05)


@pytest.mark.parametrize("loss", [0.02, 0.1, 0.5])
def test_no_fewer_items_do_for_a_mean(loss):
    items = power.items_for_mean(loss, 0.4)
    assert power.power_of_mean(loss, 0.4, items) >= 0.8 > power.power_of_mean(loss, 0.4, items - 1) or items == 2


@pytest.mark.parametrize(("loss", "discordance"), [(0.05, 0.1), (0.1, 0.2), (0.3, 0.1)])
def test_enough_items_for_a_share(loss, discordance):
    items = power.items_for_share(loss, discordance)
    lost = min(loss, discordance)
    assert power.power_of_share(lost, discordance, items) >= 0.8
    assert power.power_of_share(lost, discordance, round(0.9 * items)) < 0.8
