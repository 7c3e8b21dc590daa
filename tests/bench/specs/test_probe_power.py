import pytest

from bench.errors import UserError
from bench.specs.probe_power import ProbePower, probe_power


@pytest.mark.parametrize(
    ("text", "power"),
    [
        ("5points", ProbePower(0.05, None)),
        (".02nats", ProbePower(None, 0.02)),
        ("2.5points, 0.1nats", ProbePower(0.025, 0.1)),
    ],
)
def test_a_loss_in_points_or_nats_or_both(text, power):
    assert probe_power(text) == power


@pytest.mark.parametrize("text", [".001points", "1points,0.00001nats"])
def test_a_loss_that_no_probe_could_show_is_refused(text):
    """By its items it would take gigabytes to plan."""
    with pytest.raises(
        UserError, match=r"no probe has the items that so small a loss takes; give at least (0\.05points|0\.0001nats)"
    ):
        probe_power(text)


@pytest.mark.parametrize("text", ["5", "points", "0points", "100points", "5points,6points", "-1nats", ""])
def test_what_is_neither_is_told(text):
    with pytest.raises(UserError, match="give a loss in points, in nats, or both"):
        probe_power(text)
