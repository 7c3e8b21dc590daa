"""Change points: seldom where nothing changed, and where something did."""

import numpy as np
import pytest
from scipy.stats import f

from bench.statistics.change_points import change_points, penalty


def test_two_values_are_an_f_test():
    """With two values a change point gains half their squared difference, over an estimated variance: F(1, freedom)."""
    assert penalty(2, 8) == pytest.approx(f.ppf(0.95, 1, 8), rel=0.05)
    assert penalty(2, 8, courses=5) == pytest.approx(f.ppf(0.99, 1, 8), rel=0.1)


@pytest.mark.parametrize(("length", "freedom"), [(3, 6), (12, 20)])
def test_courses_without_a_change_seldom_show_one(length, freedom):
    generator, tables = np.random.default_rng(1), 1000
    shown = 0
    for _ in range(tables):
        variance = generator.chisquare(freedom) / freedom
        shown += bool(change_points(generator.standard_normal(length).tolist(), variance, freedom))
    assert 0.03 < shown / tables < 0.07


def test_a_level_that_changed_is_found_where_it_did():
    generator = np.random.default_rng(2)
    course = np.concatenate([np.full(6, 0.85), np.full(5, 0.80), np.full(4, 0.87)]) + 0.005 * generator.standard_normal(15)
    assert change_points(course.tolist(), 0.005**2, 30) == [6, 11]
    # The same course under wide noise is none.
    assert change_points(course.tolist(), 0.05**2, 30) == []


def test_what_varies_by_nothing_changes_where_it_differs():
    assert change_points([1.0, 1.0, 2.0, 2.0], 0.0, 1) == [2]
    assert change_points([1.0, 2.0], 0.0, 0) == [] and change_points([1.0], 0.1, 5) == []


def test_without_noise_another_last_digit_is_no_change():
    assert change_points([23.4, 23.4000001, 23.4, 23.5], 0.0, 1) == [3]
