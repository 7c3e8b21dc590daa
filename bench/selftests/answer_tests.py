"""The self-tests of a probe on a model whose module this process does not hold: what its answers alone can show."""

from bench.inference.backend import Backend
from bench.probes.base import Probe
from bench.selftests.probe_tests import AnswerTests, answer_results

LEFT_OUT = "self-tests that look into the model are left out"
"""Stands among the checks, so that a record says how little was tested."""


def answer_tests(probe: Probe, backend: Backend) -> dict[str, bool]:
    """Each self-test that needs no module and applies to the probe's kind, and whether it holds on the backend."""
    return answer_results(AnswerTests(probe, backend)) | {LEFT_OUT: True}
