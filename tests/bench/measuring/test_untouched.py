"""The base model's answers: measured once, kept under all that they hang on, and nothing else."""

import gc
import shutil
import weakref
from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
import torch
from torch import nn

from bench import folders
from bench.devices.device import Device
from bench.inference.endpoint_backend import EndpointBackend
from bench.inference.endpoint_model import EndpointModel
from bench.inference.local import LocalBackend
from bench.measuring import untouched
from bench.measuring.untouched import FIRST_ITEMS, Rounding, Untouched
from bench.modeling.models import Model
from bench.runs.run import Run
from bench.specs.model import EndpointSpec
from bench.specs.wording import Wording
from bench.tasks.types import task_type

ANSWERS = pd.DataFrame({"item": ["a", "b"], "gold": [[1, 2], []], "prediction": ["x", "y"], "value": [0.1, 0.7]})


@pytest.fixture(autouse=True)
def cache(own_cache):
    """A cache in which nothing is kept yet."""
    shutil.rmtree(own_cache / "base", ignore_errors=True)
    return own_cache / "base"


@pytest.fixture(scope="module")
def session(planned, opened):
    found = opened(planned("full"))
    return replace(found, sets=replace(found.sets, validation=replace(found.sets.validation, items=8)))


@pytest.fixture
def rounded(session, planned):
    """The session of a run whose base is in 8 bit."""
    return replace(session, run=planned("lora-8bit"))


@pytest.fixture
def loads(monkeypatch):
    """Bits of each base that is loaded."""
    found, load = [], Model.load

    def counting(self, auto_class, bits=32, *rest, **head):
        found.append(bits)
        return load(self, auto_class, bits, *rest, **head)

    monkeypatch.setattr(Model, "load", counting)
    return found


def key(cache, session, what=lambda untouched: untouched.predictions(untouched.session.sets.test, ANSWERS)):
    """Name of the file under which an answer is kept."""
    shutil.rmtree(cache, ignore_errors=True)
    what(Untouched(session))
    (path,) = cache.iterdir()
    return path.name


def of_probes(session, rounding=None, items=6):
    probes = [probe.part(range(items)) for probe in session.probes]
    known = {probe.spec.name: ANSWERS for probe in probes}
    return lambda untouched: untouched.probe_items(probes, rounding, known)


def test_what_was_measured_once_is_not_measured_again(session, loads, monkeypatch):
    first = Untouched(session)
    test, probes = first.predictions(session.sets.test), first.probe_items(session.probes)
    assert loads == [32] and len(test) == 12 and list(probes) == ["mrpc"]
    monkeypatch.setattr(LocalBackend, "embeddings", lambda *_: pytest.fail("the base was asked again"))
    again = Untouched(session)
    pd.testing.assert_frame_equal(again.predictions(session.sets.test), test)
    pd.testing.assert_frame_equal(again.probe_items(session.probes)["mrpc"], probes["mrpc"])
    assert loads == [32]  # not even loaded


def test_a_baseline_holds_all_and_loads_each_base_once(rounded, loads):
    base = Untouched(rounded).results()
    assert loads == [32, 8]
    assert set(base.elsewhere) == {"amazon", "tweets", "nyt"} and base.validation is None and base.stages == []
    assert len(base.probes["mrpc"]) == len(base.rounded["mrpc"]) == 6 and len(base.first_items["mrpc"]) == FIRST_ITEMS
    assert base.probes["mrpc"]["value"].tolist() != base.rounded["mrpc"]["value"].tolist()
    kept = Untouched(rounded).results()
    assert loads == [32, 8] and kept.probes["mrpc"].equals(base.probes["mrpc"])


def test_an_unrounded_base_is_not_measured_twice(session, loads):
    whole = replace(session, run=replace(session.run, probe_every="50%"))
    base = Untouched(whole).results()
    assert loads == [32] and base.rounded == {} and base.validation is not None


def test_every_row_is_held_against_the_same_base_whatever_it_trains_on(session, rounded):
    whole, packed = Untouched(session).results(), Untouched(rounded).results()
    assert whole.probes["mrpc"].equals(packed.probes["mrpc"]) and whole.test.same.equals(packed.test.same)


RIGHT = {
    ("plain", "validation"): 0.9,
    ("plain", "test"): 0.5,
    ("instruction", "validation"): 0.6,
    ("instruction", "test"): 0.75,
}
"""Share of right answers by wording and split: the plain wording does best on validation, and worse on the test."""


def test_the_base_is_asked_in_the_rows_words_and_in_those_that_validation_chose(planned, opened, decoder_folder, monkeypatch):
    def answered(backend, evalset):
        assert evalset.head is None and evalset.wording.shots == 0
        examples = evalset.examples
        right = round(RIGHT[evalset.wording.style, evalset.split] * len(examples))
        given = [e.gold if i < right else "wrong" for i, e in enumerate(examples)]
        return pd.DataFrame({"item": [e.id for e in examples], "gold": [e.gold for e in examples], "prediction": given})

    monkeypatch.setattr(untouched, "predict", answered)
    monkeypatch.setattr(Untouched, "backend", lambda self, rounding=None: None)

    def found(strategy, **changed):
        session = opened(planned(strategy, "sentiment", decoder_folder))
        task = task_type(session.run.task.model_copy(update=changed))
        answers = Untouched(session).answers(replace(session.sets.test, task=task))
        shares = [(frame["gold"] == frame["prediction"]).mean() for frame in (answers.same, answers.best)]
        return (*shares, answers.best_style)

    assert found("instruction") == (0.75, 0.5, "plain")  # asked as the row is, and in what validation found best
    assert found("full") == found("zero-shot") == found("few-shot") == (0.5, 0.5, "plain")
    monkeypatch.setitem(RIGHT, ("plain", "validation"), 0.3)
    shutil.rmtree(folders.cache() / "base")
    assert found("full") == (0.5, 0.75, "instruction")
    assert found("full", instructions=None) == (0.5, 0.5, "plain")  # the only words that there are


def test_a_forward_pass_in_bf16_rounds_the_base_too(session):
    in_bf16 = replace(session, device=replace(session.device, precision="bf16"))
    assert Untouched(session).training_rounding == Untouched(session).own_rounding == Rounding(32, cast=False)
    assert (Untouched(in_bf16).own_rounding, Untouched(in_bf16).training_rounding) == (Rounding(32, False), Rounding(32, True))


def test_a_model_may_name_bf16_as_what_its_user_had(session, loads):
    named = replace(session, run=replace(session.run, model=replace(session.run.model, reference_precision="bf16")))
    base = Untouched(named).results()
    assert loads == [16, 32]
    difference = (base.probes["mrpc"]["value"] - base.rounded["mrpc"]["value"]).abs().max()
    assert 0 < difference < 0.05
    assert named.run.id != session.run.id


def test_a_row_in_8_bit_never_loads_its_base_in_fp32_where_bf16_is_named(planned, opened, loads):
    run = planned("lora-8bit")
    named = opened(replace(run, model=replace(run.model, reference_precision="bf16")))
    base = Untouched(named)
    assert all(base.self_tests().values())
    base.results()
    assert base.module().dtype == torch.bfloat16
    assert loads == [16, 8, 16]


def test_known_answers_are_kept_instead_of_measured(session, loads):
    first = Untouched(session)
    assert first.predictions(session.sets.test, ANSWERS) is ANSWERS
    assert first.probe_items(session.probes, known={"mrpc": ANSWERS})["mrpc"] is ANSWERS
    # Lists come back as lists: metrics tell them from arrays.
    assert Untouched(session).predictions(session.sets.test).to_dict("list") == ANSWERS.to_dict("list")
    assert Untouched(session).probe_items(session.probes)["mrpc"].to_dict("list") == ANSWERS.to_dict("list")
    assert loads == []


@pytest.mark.parametrize(
    ("change", "differs"),
    [
        (lambda patch: patch.setattr(untouched, "ENGINE_VERSION", -1), True),
        (lambda patch: patch.setattr(untouched, "versions", lambda: {"torch": "0"}), True),
        (lambda patch: patch.setattr(Run, "base_wordings", (Wording(style="instruction"),)), True),
        (lambda patch: described(patch, threads=77), True),
        (lambda patch: described(patch, memory_bytes=1, platform="elsewhere"), False),
    ],
    ids=["engine", "versions", "wording", "threads", "memory"],
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
    keys = [key(cache, session, lambda untouched, asked=asked: untouched.predictions(asked, ANSWERS)) for asked in asked]
    probes = [of_probes(session), of_probes(session, Rounding(8, cast=False)), of_probes(session, items=4)]
    probes.append(of_probes(session, Rounding(32, cast=True)))
    keys += [key(cache, session, what) for what in probes]
    assert len(set(keys)) == len(keys)
    # How the run itself is asked is no part of what the base is asked.
    trained = replace(test, wording=Wording(style="instruction"), head=0, seed=3)
    assert key(cache, session, lambda untouched: untouched.predictions(trained, ANSWERS)) == keys[0]


def test_self_tests_are_made_once(session, monkeypatch):
    made = []
    monkeypatch.setattr(untouched, "all_tests", lambda probe, module: made.append(probe) or {"sound": True, "unsound": False})
    for _ in range(2):
        assert Untouched(session).self_tests() == {"mrpc: sound": True, "mrpc: unsound": False}
    assert len(made) == 1
    # A fault that somebody has put into the code since would not be seen by what was kept.
    monkeypatch.setattr(untouched, "_tested_code", lambda: "another")
    Untouched(session).self_tests()
    assert len(made) == 2


def test_the_code_that_a_probe_goes_through_counts_for_its_self_tests(tmp_path, monkeypatch):
    bench = Path(untouched.__file__).parent.parent
    assert all(list((bench / room).glob("*.py")) for room in untouched.TESTED)
    for room in untouched.TESTED:
        (tmp_path / room).mkdir()
        (tmp_path / room / "code.py").write_text("x = 1\n")
    monkeypatch.setattr(untouched, "__file__", str(tmp_path / "measuring" / "untouched.py"))
    hashes = [untouched._tested_code.__wrapped__()]
    for room in untouched.TESTED:
        (tmp_path / room / "code.py").write_text("x = 2\n")
        hashes.append(untouched._tested_code.__wrapped__())
    assert len(set(hashes)) == len(untouched.TESTED) + 1


def test_one_base_at_a_time_is_in_memory(session, monkeypatch):
    alive, seen = [], []

    def load(self, auto_class, bits, device):
        gc.collect()
        seen.append((bits, sum(module() is not None for module in alive)))
        module = nn.Linear(2, 2)
        alive.append(weakref.ref(module))
        return module

    monkeypatch.setattr(Model, "load", load)
    base = Untouched(session)
    for bits in (32, 32, 8, 8, 32):
        base.backend(Rounding(bits, cast=False))
    base.forget()
    base.backend()
    # Of each: its bits, and how many earlier ones were still there when it was loaded.
    assert seen == [(32, 0), (8, 0), (32, 0), (32, 0)]


def test_a_model_behind_an_api_is_not_loaded(session, loads):
    model = EndpointModel("api", EndpointSpec(base_url="http://127.0.0.1:9/v1", model="m"))
    assert isinstance(Untouched(replace(session, run=replace(session.run, model=model))).backend(), EndpointBackend)
    assert loads == []


def test_answers_lie_in_the_cache(session, cache):
    Untouched(session).predictions(session.sets.test, ANSWERS)
    assert cache == folders.cache() / "base" and [path.suffix for path in cache.iterdir()] == [".parquet"]
