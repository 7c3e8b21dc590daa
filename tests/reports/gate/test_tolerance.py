"""What nobody minds, as it is given and as it is meant."""

from math import log

import pytest

from bench.errors import UserError
from reports.gate.tolerance import Tolerance, parsed_within
from reports.rows.numbers import Quantity


def test_what_is_not_named_keeps_its_default():
    assert parsed_within(None) == Tolerance() == Tolerance(2.0, 0.05, 5.0, 0.01)
    assert parsed_within("1points, .02nats/token") == Tolerance(1.0, 0.05, 5.0, 0.02)
    assert parsed_within("0%") == Tolerance(percent=0.0)


def test_nats_alone_are_for_tokens_too():
    """Planted fault: a job whose `--within .001nats` guarded a loss per token would have let .01 of it pass."""
    assert parsed_within(".001nats") == Tolerance(nats=0.001, nats_per_token=0.001)
    both = Tolerance(nats=0.1, nats_per_token=0.002)
    assert parsed_within(".1nats,.002nats/token") == parsed_within(".002nats/token,.1nats") == both


@pytest.mark.parametrize("text", ["", "2", "2 percent", "2points,3points", "-1points", "2points,", "1nats/answer"])
def test_what_is_no_margin_is_refused(text):
    with pytest.raises(UserError, match="give what nobody minds in points, nats or %"):
        parsed_within(text)


def test_each_unit_has_its_margin():
    margins = Tolerance(1.0, 0.02, 10.0, 0.003)
    assert margins.of(Quantity("accuracy", share=True), 0.9) == 0.01
    assert margins.of(Quantity("loss (nats per token)", share=False), 3.0) == 0.003
    assert margins.of(Quantity("log-likelihood (nats per answer)", share=False), 3.0) == 0.02
    assert margins.of(Quantity("log-odds (nats)", share=False), 3.0) == 0.02
    assert margins.of(Quantity("perplexity", share=False), 20.0) == 2.0
    assert margins.of(Quantity("log-likelihood", share=False), -20.0) == 2.0
    assert margins.of_costs == pytest.approx(log(1.1)) and str(margins) == "1 points, 0.02 nats, 0.003 nats per token, 10 %"
