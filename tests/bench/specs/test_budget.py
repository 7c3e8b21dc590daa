"""A budget as people write it."""

from decimal import Decimal

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from bench.errors import UserError
from bench.specs.budget import Budget


@pytest.mark.parametrize(("text", "examples"), [("512", 512), ("512examples", 512), ("2_000 examples", 2000), ("1", 1)])
def test_budgets(text, examples):
    assert Budget.parse(text).examples == examples
    assert Budget.parse(str(Budget.parse(text))) == Budget.parse(text)


@pytest.mark.parametrize(
    ("text", "budget", "canonical"),
    [
        ("400examples", Budget(400), "400examples"),
        ("2,000 examples", Budget(2000), "2000examples"),
        ("1example", Budget(1), "1examples"),
        ("0.08Mtokens", Budget(tokens=80_000), "80ktokens"),
        ("80500tokens", Budget(tokens=80_500), "80500tokens"),
        ("3TFLOP", Budget(flops=3 * 10**12), "3TFLOP"),
        ("2.5 tflops", Budget(flops=25 * 10**11), "2500GFLOP"),
        ("90s", Budget(seconds=90.0), "90s"),
        ("1.50s", Budget(seconds=1.5), "1.5s"),
        ("200steps", Budget(steps=200), "200steps"),
        ("4GB", Budget(memory=4 * 10**9), "4GB"),
        ("90s, 2000examples", Budget(2000, seconds=90.0), "2000examples,90s"),
        ("4gb,80ktokens,1,000steps", Budget(steps=1000, tokens=80_000, memory=4 * 10**9), "1000steps,80ktokens,4GB"),
    ],
)
def test_each_unit_is_read_and_has_one_text(text, budget, canonical):
    assert Budget.parse(text) == budget and str(budget) == canonical


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        *[
            (text, "is not understood")
            for text in ("many", "", "-1s", "1e3", "5ms", "10m", "90s,", "512,90s", "90s,512", "2GB90s")
        ],
        *[(text, "would train nothing") for text in ("0", "0s", "0tokens", "0GB", "0.0001ktokens")],
        ("1.5examples", "1.5 examples is no whole number"),
        ("3tokens,4ktokens", "two limits in tokens"),
    ],
)
def test_what_is_no_budget_is_told(text, sentence):
    with pytest.raises(UserError, match=sentence):
        Budget.parse(text)


amounts = st.none() | st.integers(1, 10**18)
budgets = st.builds(
    Budget,
    examples=amounts,
    steps=amounts,
    tokens=amounts,
    flops=amounts,
    seconds=st.none() | st.decimals("0.001", "1e6", places=3).map(float),
    memory=amounts,
).filter(lambda budget: budget.limits)


@given(budgets)
def test_a_budget_is_what_its_text_says(budget):
    assert Budget.parse(str(budget)) == budget


@given(st.integers(1, 10**15), st.sampled_from(["", "k", "M", "G", "T"]), st.sampled_from(["tokens", "FLOP", "B"]))
def test_a_prefix_changes_the_writing_alone(amount, prefix, unit):
    power = {"": 0, "k": 3, "M": 6, "G": 9, "T": 12}[prefix]
    written = f"{Decimal(amount).scaleb(-power):f}{prefix}{unit}"
    assert Budget.parse(written) == Budget.parse(f"{amount}{unit}")
    assert str(Budget.parse(written)) == str(Budget.parse(f"{amount}{unit}"))


def test_a_share_of_a_budget():
    whole = Budget(examples=2000, steps=10, tokens=3, flops=10**12, seconds=90.0, memory=4 * 10**9)
    assert whole.share(0.25) == Budget(500, 2, 1, 25 * 10**10, 22.5, 4 * 10**9)  # 2.5 steps round to 2, .75 tokens to 1
    assert whole.share(1.0) == whole
    assert str(Budget(seconds=90.0).share(0.7)) == "63s"  # and not what floats make of it


@example(Budget(examples=10**18 - 1), 1.0)  # no float has so many digits
@given(budgets, st.floats(0.001, 1.0))
def test_a_share_is_a_budget_with_the_same_limits(budget, share):
    part = budget.share(share)
    assert part.limits.keys() == budget.limits.keys() and part.memory == budget.memory
    assert all(0 < part.limits[name] <= max(1, amount) for name, amount in budget.limits.items())


def test_a_ceiling_ends_nothing():
    assert not Budget.parse("4GB").ends
    assert all(Budget.parse(f"{end},4GB").ends for end in ("1example", "1step", "1token", "1FLOP", "1s"))


@pytest.mark.parametrize("budget", ["99999999999999999999999examples", "9" * 5000, "9999999999s", "9999Ptokens"])
def test_more_than_any_training_spends_is_refused(budget):
    with pytest.raises(UserError, match="is more than any training spends; give at most 1") as told:
        Budget.parse(budget)
    assert len(str(told.value)) < 200
