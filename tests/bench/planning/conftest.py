"""A small plan."""

import pytest

from bench.planning.options import PlanOptions
from bench.planning.plan import plan


@pytest.fixture(scope="session")
def runs():
    """Of the 2-layer BERT: a row that trains nothing, all weights, and the top ones."""
    options = PlanOptions("sentiment", "tiny-bert", strategies=["zero-shot", "full", "frozen"], budget="16", test_items=20)
    return plan(options, "auto")
