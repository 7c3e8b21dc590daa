"""What examples take of a budget, against numbers worked by hand."""

from hypothesis import given
from hypothesis import strategies as st

from bench.modeling.flops import Flops
from bench.running.budget_account import Account, costs, counted_limits, spending
from bench.specs.budget import Budget
from bench.tokens.encoded import Encoded
from bench.tokens.token_counts import TokenCounts
from bench.training.state import TrainingState


def test_steps_are_counted_in_the_examples_that_fill_them():
    assert counted_limits(Budget(100, 5, 7, 9, 60.0, 10**9), 16) == {"examples": 100, "steps": 80, "tokens": 7, "flops": 9}
    assert counted_limits(Budget(seconds=60.0, memory=10**9), 16) == {}


def test_an_example_counts_once_and_its_windows_each():
    windows = [Encoded((1, 2, 3), labels=(0,)), Encoded((4, 5), labels=(1,))]
    found = costs(windows, Flops(TokenCounts(tokens=10, pairs=1, positions=100, rows=0)))
    # 5 tokens, 9 + 4 pairs, a position each
    assert found == {"examples": 1, "steps": 1, "tokens": 5, "flops": 50 + 13 + 200}
    assert costs([Encoded((1, 2, 3), answer=1)], None)["tokens"] == 2  # a decoder's last token is only predicted


@given(st.lists(st.integers(1, 50), max_size=40), st.integers(1, 400), st.integers(1, 40))
def test_an_account_takes_all_that_fits_and_nothing_more(tokens, most, examples):
    account, taken = Account({"examples": examples, "tokens": most}), []
    for number in tokens:
        if passed := account.take({"examples": 1, "tokens": number}):
            assert (passed == "examples") == (len(taken) == examples)
            assert passed == "examples" or sum(taken) <= most < sum(taken) + number
            break
        taken.append(number)
    assert account.share == max(len(taken) / examples, sum(taken) / most)
    assert sum(taken) <= most and len(taken) <= examples


def test_without_limits_nothing_ends():
    account = Account({})
    assert account.take({"examples": 1}) is None and account.share == 0.0


def test_a_budget_is_held_against_what_all_stages_took(planned):
    run = planned("full", budget="32examples,5steps,1ktokens,1GFLOP,9s,4GB")
    state = TrainingState(
        stage=3,
        examples=90,
        tokens=2900,
        useful=TokenCounts(tokens=3),
        seconds=26.5,
        longest_seconds=8.9,
        losses=[0.1] * 6,
        ended_by="seconds",
        kept_by="x",
    )
    found = spending(run, state, Flops(TokenCounts(tokens=10)).useful(state.useful), 5 * 10**9)
    expected = {"examples": (96, 90), "steps": (15, 6), "tokens": (3000, 2900), "flops": (3 * 10**9, 30), "seconds": (9, 8.9)}
    assert {name: (limit.limit, limit.spent) for name, limit in found.limits.items()} == expected | {"memory": (4e9, 5e9)}
    assert (found.ended_by, found.kept_by, bool(found.passed)) == ("seconds", "x", True)


def test_a_short_stage_does_not_hide_that_another_overran_its_seconds(planned):
    state = TrainingState(ended_by="seconds")
    for seconds in (7.0, 9.5, 8.0):
        state.seconds += seconds
        state.end_stage(16, "seconds")
    passed = spending(planned("full", budget="9s"), state, 0, 0).passed
    assert (passed["seconds"].limit, passed["seconds"].spent) == (9, 9.5)
