"""Numbers as text."""

import pytest

from bench.records.outcome import Score
from bench.statistics.estimates import Estimate
from reports.rows import numbers
from reports.rows.numbers import Quantity

NAN = float("nan")
ACCURACY = Quantity("accuracy", share=True)
LOSS = Quantity("loss (nats per token)", share=False)


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
        (numbers.difference(0.1234, ACCURACY), "+12.3"),
        (numbers.difference(0.1234, LOSS), "+0.123"),
        (numbers.level(0.1234, ACCURACY), ".123"),
        (numbers.level(23.456, LOSS), "23.456"),
        (numbers.level(1234.5678, LOSS), "1,234.6"),
        (numbers.level(48213.3, LOSS), "48,213"),
        (numbers.level(1.5e9, LOSS), "1.50e+09"),
        (numbers.difference(-123.456, LOSS), "-123.46"),
        (numbers.difference(2e8, LOSS), "+2.00e+08"),
        (numbers.span(0.029, ACCURACY), "2.9"),
        (numbers.span(0.0291, LOSS), "0.029"),
        (numbers.rate(0.0321), "3.2 %"),
        (numbers.money(0.00412345), "0.00412"),
        (numbers.money(1234.5), "1,234.50"),
        (numbers.item_counts([64, 64]), "64 items"),
        (numbers.item_counts([1277, 64]), "64 to 1,277 items"),
        (LOSS.unit, "nats per token"),
        (ACCURACY.unit, "points"),
        (Quantity("bleu", share=False).unit, "bleu"),
        (numbers.integer(2_442_240), "2,442,240"),
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
    "write",
    [
        numbers.share,
        numbers.points,
        numbers.percent,
        numbers.rate,
        numbers.money,
        numbers.integer,
        numbers.seconds,
        numbers.scaled,
        lambda value: numbers.level(value, LOSS),
        lambda value: numbers.difference(value, LOSS),
    ],
)
@pytest.mark.parametrize("value", [NAN, float("inf")])
def test_what_is_not_finite_is_a_dash(write, value: float):
    assert write(value) == numbers.MISSING


def test_no_two_shares_are_more_than_100_points_apart():
    """Planted fault: a comparison said that it finds falls of 4,003.9 points of accuracy."""
    accuracy, loss = numbers.Quantity("accuracy", share=True), numbers.Quantity("loss", share=False)
    assert [numbers.found_from(value, accuracy) for value in (0.184, 1.0, 40.039)] == ["18.4", "100.0", "over 100"]
    assert numbers.found_from(40.039, loss) == "40.039"
    assert numbers.found_from(1.466, accuracy, numbers.difference) == "over 100"
    assert numbers.found_from(1.466, numbers.RELATIVE_FORGETTING) == "146.6"


def test_bounds():
    assert numbers.brackets(Estimate(0.86, 0.837, 0.884, "items", 1), ACCURACY, signed=False) == "[.837, .884]"
    assert numbers.brackets(Estimate(0.1, 0.05, 0.15, "bounds", 3), ACCURACY, signed=True) == "[+5.0, +15.0]†"
    assert numbers.brackets(Estimate(0.1, None, None, "items", 1), ACCURACY, signed=True) == ""
    assert numbers.brackets(Estimate(0.1, NAN, 0.2, "items", 1), ACCURACY, signed=True) == ""
    assert numbers.signed(Estimate(0.1, 0.05, 0.15, "items", 1), ACCURACY) == "+10.0 [+5.0, +15.0]"
    assert numbers.signed(Estimate(0.1, None, None, "items", 1), LOSS) == "+0.100"


def test_what_a_record_measures():
    score = Score(name="bleu", value=31.2, ci_low=30, ci_high=32, n=5)
    assert numbers.quantity_of(score) == Quantity("bleu", share=False)
    filtered = numbers.quantity_of(score.model_copy(update={"name": "f1 (remove_whitespace)"}))
    assert filtered.unit == "f1 (remove_whitespace)"  # an imported metric's filter is no unit
    assert numbers.quantity_of(score.model_copy(update={"name": "squad_f1", "share": True})).unit == "points"
