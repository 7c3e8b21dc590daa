"""Shares of the budget, against numbers worked by hand."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench import strategies
from bench.errors import UserError
from bench.specs.library import Library

LIBRARY = Library()


def multitask(**settings):
    return strategies.load_strategy(LIBRARY.strategy("multitask"), "decoder", settings)


SIZES = {"sst2": 9000, "sarcasm": 1000, "rte": 250}


def test_fixed_shares_leave_the_rest_to_the_task():
    strategy = multitask()
    assert strategy.tasks == ["sarcasm", "rte"] and strategy.rehearsal
    assert strategy.shares("sst2", SIZES, True, 0.3) == pytest.approx(
        {"sst2": 0.65, "sarcasm": 0.2, "rte": 0.05, "rehearsal": 0.1}
    )
    # Without rehearsal (an encoder) and without a task that is the suite's own, their shares fall to the task.
    assert strategy.shares("sst2", SIZES, False, 0.3) == pytest.approx({"sst2": 0.75, "sarcasm": 0.2, "rte": 0.05})
    assert strategy.shares("rte", {"rte": 250, "sarcasm": 1000}, False, 0.0) == pytest.approx({"rte": 0.8, "sarcasm": 0.2})


def test_rehearsal_differs_from_full_training_in_nothing_but_its_text():
    full, rehearsal = (strategies.load_strategy(LIBRARY.strategy(name), "decoder", {}) for name in ("full", "rehearsal"))
    assert rehearsal.wording == full.wording and rehearsal.rehearsal and not full.rehearsal
    shared = full.hyperparameters.model_dump()
    assert {name: getattr(rehearsal.hyperparameters, name) for name in shared} == shared


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        # 9000, 1000 and 250 of 10250, in the nine tenths that rehearsal leaves
        ({"mixing": "proportional"}, [0.9 * 9000 / 10250, 0.9 * 1000 / 10250, 0.9 * 250 / 10250]),
        # a limit of 1000 makes 1000, 1000 and 250 of them
        ({"mixing": "proportional", "limit": 1000}, [0.4, 0.4, 0.1]),
        # square roots 94.868, 31.623 and 15.811
        (
            {"mixing": "temperature", "temperature": 2},
            [0.9 * 94.8683 / 142.3025, 0.9 * 31.6228 / 142.3025, 0.9 * 15.8114 / 142.3025],
        ),
        # a temperature of 1 is proportional
        ({"mixing": "temperature", "temperature": 1, "limit": 1000}, [0.4, 0.4, 0.1]),
    ],
)
def test_shares_by_size(settings, expected):
    found = multitask(**settings).shares("sst2", SIZES, True, 0.5)
    assert [found[name] for name in SIZES] == pytest.approx(expected, abs=1e-6)
    assert found["rehearsal"] == pytest.approx(0.1) and sum(found.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("settings", "wanted"),
    [
        ({"temperature": 5}, "mixing: temperature"),
        ({"temperature": 5, "mixing": "proportional"}, "mixing: temperature"),
        ({"limit": 100}, "mixing: proportional or temperature"),
        ({"start": 0.5}, "progressive"),
        ({"end": 0.5}, "progressive"),
    ],
)
def test_what_the_mixing_does_not_read_is_refused(settings, wanted):
    with pytest.raises(UserError, match=f"{next(iter(settings))} changes nothing without {wanted}"):
        multitask(**settings)


def test_high_temperatures_even_the_tasks_out():
    found = multitask(mixing="temperature", temperature=1e6).shares("sst2", SIZES, False, 0.0)
    assert list(found.values()) == pytest.approx([1 / 3] * 3, abs=1e-4)


@given(
    st.sampled_from(["shares", "proportional", "temperature"]),
    st.floats(0, 0.9),
    st.floats(0.1, 1),
    st.booleans(),
    st.lists(st.floats(0, 1), min_size=2, max_size=2).map(sorted),
)
def test_the_new_task_is_phased_in(mixing, start, end, rehearses, times):
    strategy = multitask(progressive=True, mixing=mixing, start=start, end=end)
    early, late = (strategy.shares("sst2", SIZES, rehearses, time) for time in times)
    for shares in (early, late):
        assert sum(shares.values()) == pytest.approx(1) and min(shares.values()) >= 0
        assert set(shares) == {*SIZES, *(["rehearsal"] if rehearses else [])}
    rose = late["sst2"] - early["sst2"]
    assert rose == pytest.approx((end - start) * (times[1] - times[0]))
    still = multitask(mixing=mixing).shares("sst2", SIZES, rehearses, 0.0)
    if early["sst2"] < 1:  # all else fades in proportion
        assert early["sarcasm"] * still["rte"] == pytest.approx(early["rte"] * still["sarcasm"])


def test_progressive_by_hand():
    strategy = multitask(progressive=True, start=0.2, end=1.0, tasks={"rte": 0.2}, rehearsal_share=0.1)
    sizes = {"sst2": 9000, "rte": 250}
    for progress, expected in ((0.0, [0.2, 0.8 * 2 / 3, 0.8 / 3]), (0.5, [0.6, 0.4 * 2 / 3, 0.4 / 3]), (1.0, [1.0, 0.0, 0.0])):
        assert list(strategy.shares("sst2", sizes, True, progress).values()) == pytest.approx(expected)


@pytest.mark.parametrize("weight", [0, -1, 1.5])
def test_a_weight_that_makes_no_sense_is_refused(weight):
    with pytest.raises(UserError, match="rehearsal_weight"):
        multitask(rehearsal_weight=weight)


def test_a_weight_without_rehearsal_is_refused():
    assert multitask(rehearsal_weight=0.1).rehearsal_weight == 0.1 and multitask().rehearsal_weight is None
    with pytest.raises(UserError, match="a rehearsal_weight needs a rehearsal_share"):
        multitask(rehearsal_weight=0.1, rehearsal_share=0)
