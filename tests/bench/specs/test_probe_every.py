"""After how many steps a run is measured on its way."""

import pytest

from bench.errors import UserError
from bench.specs.probe_every import amount, checked_stride


@pytest.mark.parametrize("same", [("50%", "0.5", ".5", "50.0%"), ("3", "03"), ("33%", "0.33"), ("7%", "0.07")])
def test_a_share_is_one_share_however_it_is_written(same):
    assert {checked_stride(each) for each in same} == {same[0]}
    assert checked_stride(None) is None


def test_an_amount_is_steps_or_a_share_of_them():
    assert [amount(every) for every in ("10", "25%", "0.5", "100%")] == [10, 0.25, 0.5, 1.0]
    assert isinstance(amount("1"), int) and isinstance(amount("100%"), float)


@pytest.mark.parametrize("every", ["0", "0%", ".0000005", "1.5", "101%", "often", "-1", ""])
def test_a_stride_that_is_none_gets_a_sentence(every):
    with pytest.raises(UserError, match="give a number of steps"):
        checked_stride(every)
