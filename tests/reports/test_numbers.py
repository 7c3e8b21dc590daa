"""Numbers as text."""

import pytest

from reports import numbers
from reports.intervals import Estimate

NAN = float("nan")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (numbers.share(0.861), ".861"),
        (numbers.share(0.0), ".000"),
        (numbers.share(0.9999), "1.000"),
        (numbers.share(-0.0001), ".000"),
        (numbers.points(0.1234), "+12.3"),
        (numbers.points(-0.05), "-5.0"),
        (numbers.points(-0.0001), "0.0"),
        (numbers.difference(0.1234, "accuracy"), "+12.3"),
        (numbers.difference(0.1234, "loss (nats per token)"), "+0.123"),
        (numbers.unit("loss (nats per token)"), "nats per token"),
        (numbers.unit("ROC AUC"), "points"),
        (numbers.unit("perplexity"), "perplexity"),
        (numbers.count(2_442_240), "2,442,240"),
        (numbers.percent(0.017832), "1.78 %"),
        (numbers.percent(1.0), "100 %"),
        (numbers.percent(None), "–"),
        (numbers.seconds(0.41608), "0.416"),
        (numbers.seconds(0), "0"),
        (numbers.seconds(1234.5), "1,234"),
        (numbers.gigabytes(784_584_704), "0.78"),
        (numbers.scaled(12_345_678_901_234), "12.3 T"),
        (numbers.scaled(17_544_712, "B"), "17.5 MB"),
        (numbers.scaled(999_999), "1.00 M"),
        (numbers.scaled(512), "512"),
    ],
)
def test_text(text: str, expected: str):
    assert text == expected


@pytest.mark.parametrize(
    "write", [numbers.share, numbers.points, numbers.percent, numbers.count, numbers.seconds, numbers.scaled]
)
@pytest.mark.parametrize("value", [NAN, float("inf")])
def test_what_is_not_finite_is_a_dash(write, value: float):
    assert write(value) == numbers.MISSING


def test_bounds():
    assert numbers.bounds(Estimate(0.86, 0.837, 0.884, "items", 1), "accuracy", signed=False) == "[.837, .884]"
    assert numbers.bounds(Estimate(0.1, 0.05, 0.15, "bounds", 3), "accuracy", signed=True) == "[+5.0, +15.0]†"
    assert numbers.bounds(Estimate(0.1, None, None, "items", 1), "accuracy", signed=True) == ""
    assert numbers.bounds(Estimate(0.1, NAN, 0.2, "items", 1), "accuracy", signed=True) == ""
