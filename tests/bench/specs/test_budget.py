"""A budget as people write it."""

import pytest

from bench.specs.budget import Budget


@pytest.mark.parametrize(("text", "examples"), [("512", 512), ("512examples", 512), ("2_000 examples", 2000), ("1", 1)])
def test_budgets(text, examples):
    assert Budget.parse(text).examples == examples
    assert Budget.parse(str(Budget.parse(text))) == Budget.parse(text)
