"""The base model's answers are kept under all that they hang on, and nothing else."""

import shutil
from dataclasses import replace

import pandas as pd
import pytest
import torch

from bench import folders
from bench.devices.device import Device
from bench.measuring import kept_base
from bench.measuring.rounding import Rounding
from bench.measuring.untouched import Untouched
from bench.runs.run import Run
from bench.specs.wording import Wording
from bench.tasks.types import task_type

pytestmark = pytest.mark.usefixtures("cache")

ANSWERS = pd.DataFrame({"item": ["a", "b"], "gold": [[1, 2], []], "prediction": ["x", "y"], "value": [0.1, 0.7]})


def key(cache, session, what=lambda base: base.predictions(base.session.sets.test, ANSWERS)):
    """Name of the file under which an answer is kept."""
    shutil.rmtree(cache, ignore_errors=True)
    what(Untouched(session).asked)
    (path,) = cache.iterdir()
    return path.name


def of_probes(session, rounding=None, items=6):
    probes = [probe.part(range(items)) for probe in session.probes]
    known = {probe.spec.name: ANSWERS for probe in probes}
    return lambda base: base.probe_items(probes, rounding, known)


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        (lambda patch: patch.setattr(kept_base, "ENGINE_VERSION", -1), True),
        (lambda patch: patch.setattr(kept_base, "versions", lambda: {"torch": "0"}), True),
        (lambda patch: patch.setattr(Run, "base_wordings", (Wording(style="instruction"),)), True),
        (lambda patch: described(patch, threads=77), True),
        (lambda patch: patch.setenv("MKL_ENABLE_INSTRUCTIONS", "AVX2"), True),
        (lambda patch: patch.setattr(torch.backends.cpu, "get_cpu_capability", lambda: "AVX2"), True),
        (lambda patch: described(patch, memory_bytes=1, platform="elsewhere"), False),
    ],
    ids=["engine", "versions", "wording", "threads", "instructions of MKL", "instructions of torch", "memory"],
)
def test_the_key_hangs_on_the_environment_but_not_on_memory(session, cache, monkeypatch, change, differs):
    before = key(cache, session)
    assert key(cache, session) == before
    change(monkeypatch)
    assert (key(cache, session) != before) == differs


def described(patch, **changed):
    describe = Device.describe
    patch.setattr(Device, "describe", lambda self: describe(self) | changed)


@pytest.mark.parametrize(
    "change",
    [
        {"max_length": 64},
        {"model": {"content_hash": "0" * 64}},
        {"model": {"trust_remote_code": True}},
    ],
    ids=["max_length", "weights", "own code"],
)
def test_the_key_hangs_on_the_model_and_its_limit(session, cache, change):
    change = {"model": replace(session.run.model, **change["model"])} if "model" in change else change
    other = replace(session, run=replace(session.run, **change))
    assert key(cache, other) != key(cache, session)


def test_the_key_hangs_on_the_question(session, cache):
    test = session.sets.test
    asked = [
        test,
        replace(test, items=5),
        replace(test, split="validation"),
        replace(test, task=task_type(test.task.spec.model_copy(update={"prompt": "{text} is"}))),
    ]
    keys = [key(cache, session, lambda base, asked=asked: base.predictions(asked, ANSWERS)) for asked in asked]
    probes = [of_probes(session), of_probes(session, Rounding(8, cast=False)), of_probes(session, items=4)]
    probes.append(of_probes(session, Rounding(32, cast=True)))
    keys += [key(cache, session, what) for what in probes]
    assert len(set(keys)) == len(keys)
    # How the run itself is asked is no part of what the base is asked.
    trained = replace(test, wording=Wording(style="instruction"), head=0, seed=3)
    assert key(cache, session, lambda base: base.predictions(trained, ANSWERS)) == keys[0]


def test_answers_lie_in_the_cache(session, cache):
    Untouched(session).asked.predictions(session.sets.test, ANSWERS)
    assert cache == folders.cache() / "base" and [path.suffix for path in cache.iterdir()] == [".parquet"]
