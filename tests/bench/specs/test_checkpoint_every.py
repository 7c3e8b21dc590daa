"""`--checkpoint-every` in seconds or in steps."""

import pytest

from bench.errors import UserError
from bench.specs.checkpoint_every import CheckpointInterval, checkpoint_interval


def test_seconds_and_steps():
    assert checkpoint_interval("300s") == CheckpointInterval(seconds=300.0) and checkpoint_interval(
        " 0.5s "
    ) == CheckpointInterval(seconds=0.5)
    assert checkpoint_interval("50steps") == CheckpointInterval(steps=50) and checkpoint_interval(
        "1step"
    ) == CheckpointInterval(steps=1)


@pytest.mark.parametrize("text", ["", "300", "0s", "0steps", "-1s", "5minutes", "1.5steps", "10%"])
def test_anything_else_is_told(text):
    with pytest.raises(UserError, match="--checkpoint-every .*: give seconds"):
        checkpoint_interval(text)


def test_when_it_is_over():
    assert [CheckpointInterval(seconds=2.0).is_over(seconds, 99, 9.0) for seconds in (1.9, 2.0)] == [False, True]
    assert [CheckpointInterval(steps=3).is_over(99.0, steps, 9.0) for steps in (2, 3)] == [False, True]


def test_by_itself_keeping_takes_a_hundredth_of_the_time_at_most():
    auto = checkpoint_interval("auto")
    assert [auto.is_over(seconds, 99, 0.1) for seconds in (59.9, 60.0)] == [False, True]
    assert [auto.is_over(seconds, 99, 3.0) for seconds in (299.0, 300.0)] == [False, True]
