"""The self-tests of a probe on a model whose module this process does not hold: what its answers alone can show."""

from bench.inference.backend import Backend
from bench.probes.base import Probe
from bench.probes.multiple_choice import MultipleChoice
from bench.selftests.probe_tests import AnswerTests

LEFT_OUT = "self-tests that look into the model are left out"
"""Stands among the checks, so that a record says how little was tested."""


def answer_tests(probe: Probe, backend: Backend) -> dict[str, bool]:
    """Each self-test that needs no module and applies to the probe's kind, and whether it holds on the backend."""
    tests = AnswerTests(probe, backend)
    results = {
        "untouched model forgets nothing": tests.untouched_forgets_nothing(),
        "batches equal one by one": tests.batches_equal_one_by_one(),
        LEFT_OUT: True,
    }
    if isinstance(probe, MultipleChoice):
        results["shuffled gold is chance"] = tests.shuffled_gold_is_chance()
    return results
