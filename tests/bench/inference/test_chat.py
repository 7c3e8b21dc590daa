"""How long is waited; what is asked and answered is tested with the endpoint's server."""

from email.utils import formatdate

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tenacity import RetryCallState, Retrying

from bench.inference import chat
from bench.inference.chat import retry_after


def test_back_off_grows_with_jitter_and_is_bounded():
    state = RetryCallState(Retrying(), None, (), {})
    waits = []
    for state.attempt_number in range(1, 12):
        waits.append({chat._pause(state) for _ in range(20)})
    assert all(len(tries) > 1 for tries in waits)
    assert max(waits[0]) <= 1 and min(waits[4]) >= 8 and all(30 <= wait <= 30.5 for wait in waits[-1])


@given(st.integers(-100, 10_000))
def test_retry_after_is_seconds_or_a_date(seconds):
    expected = min(max(seconds, 0), 60.0)
    assert retry_after(str(seconds), 0) == expected
    assert retry_after(formatdate(1_800_000_000 + seconds, usegmt=True), 1_800_000_000) == expected


@pytest.mark.parametrize("nonsense", [None, "", "soon", "nan", "Wed, 99 Foo 2026"])
def test_a_retry_after_that_says_nothing(nonsense):
    assert retry_after(nonsense, 0) == 0
