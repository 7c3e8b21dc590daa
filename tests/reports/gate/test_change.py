"""Which terms a comparison has a title for."""

from reports.definitions import defined
from reports.gate.change import TITLES


def test_every_kind_of_number_is_defined():
    assert all(defined(term).title for term in TITLES)
