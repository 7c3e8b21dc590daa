"""After how many steps a run is measured on its way."""

import pytest

from bench.errors import UserError
from bench.specs.probe_every import checked_stride, stride


@pytest.mark.parametrize(("every", "steps", "stride_"), [("10", 100, 10), ("25%", 100, 25), ("25%", 10, 2), ("1%", 10, 1)])
def test_a_stride_is_steps_or_a_share_of_them(every, steps, stride_):
    assert stride(every, steps) == stride_


@pytest.mark.parametrize("every", ["0", "0%", "1.5", "101%", "often", "-1", ""])
def test_a_stride_that_is_none_gets_a_sentence(every):
    with pytest.raises(UserError, match="give a number of steps"):
        checked_stride(every)
