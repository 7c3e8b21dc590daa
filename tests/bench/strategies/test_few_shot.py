import pytest

from bench.errors import UserError
from bench.specs.wording import Wording


def test_the_number_of_solved_examples_is_part_of_the_wording(strategy):
    assert strategy("few-shot").wording == Wording(style="plain", shots=4)
    assert strategy("few-shot", shots=16).wording.shots == 16
    assert not strategy("few-shot").trains


@pytest.mark.parametrize("shots", [0, -1, 2.5])
def test_there_is_a_whole_number_of_them_and_at_least_one(strategy, shots):
    with pytest.raises(UserError, match="strategy 'few-shot': .*shots"):
        strategy("few-shot", shots=shots)
