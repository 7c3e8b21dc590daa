"""Runs of the built-in suites on small models, cut to a few items."""

from collections.abc import Callable

import pytest

from bench.planning import plan
from bench.running.run import Run


@pytest.fixture(scope="session")
def planned() -> Callable[..., Run]:
    """The one run of a suite under a strategy; by default of the 2-layer BERT."""

    def made(strategy: str, suite: str = "sentiment-domains", model: object = "tiny-bert", **options: object) -> Run:
        small = {"budget": "32", "probe_items": 6, "test_items": 12, "strategies": [strategy]}
        (run,) = plan.plan(plan.PlanOptions(suite, model=str(model), **(small | options)), "fp32")
        return run

    return made
