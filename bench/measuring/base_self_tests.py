"""The self-tests of a run's probes on the untouched base: made once for the code as it is, and kept beside its answers."""

from collections.abc import Sequence
from functools import cache, partial
from pathlib import Path

import pandas as pd

from bench.hashing import code_digest
from bench.measuring.kept_base import KeptBase
from bench.measuring.loaded_base import LoadedBase
from bench.probes import Probe
from bench.selftests.answer_tests import answer_tests
from bench.selftests.probe_tests import all_tests

TESTED = ("data", "inference", "modeling", "probes", "selftests", "specs", "statistics", "tasks", "tokens")
"""Rooms of bench/ through which a probe's question goes, and the self-tests'."""


def base_self_tests(probes: Sequence[Probe], loaded: LoadedBase, kept: KeptBase) -> dict[str, bool]:
    """Self-test of each probe -> whether it holds, on the untouched base, for the code as it is: what has changed is tested
    anew, though the answers that are kept stay."""
    outcomes: dict[str, bool] = {}
    asked_as = {"what": "selftests", "code": _tested_code()}
    asks = {probe.spec.name: partial(kept.of_probe, probe, asked_as, partial(_tested, probe, loaded)) for probe in probes}
    for name, tests in kept.in_any_order(asks).items():
        outcomes |= {f"{name}: {test}": bool(holds) for test, holds in zip(tests["name"], tests["held"], strict=True)}
    return outcomes


def _tested(probe: Probe, loaded: LoadedBase) -> pd.DataFrame:
    module = loaded.module()
    outcomes = answer_tests(probe, loaded.backend()) if module is None else all_tests(probe, module)
    return pd.DataFrame({"name": list(outcomes), "held": list(outcomes.values())})


@cache
def _tested_code() -> str:
    """A hash of the code whose faults the self-tests would find, and of their own."""
    bench = Path(__file__).parent.parent
    return code_digest(path for room in TESTED for path in sorted((bench / room).rglob("*.py")))
