"""What is said of a loss beside its number."""

import pytest

from bench.statistics.estimates import Estimate
from reports.rows.verdicts import mark, verdict_word


@pytest.mark.parametrize(
    ("value", "low", "high", "p", "word", "sign"),
    [
        (0.1, 0.05, 0.15, None, "loss", "*"),
        (-0.1, -0.15, -0.05, None, "better", "*"),
        (0.1, -0.05, 0.25, None, "none", ""),
        (0.1, 0.05, 0.15, 0.06, "none", ""),  # corrected for other probes
        (0.1, None, None, None, None, ""),
    ],
)
def test_a_loss_has_a_word_and_a_mark(value, low, high, p, word, sign):
    lost = Estimate(value, low, high, "items", runs=1, p=p)
    assert (verdict_word(lost), mark(lost)) == (word, sign)
