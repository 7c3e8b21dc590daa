"""The parts of the untouched base share one model: what one has loaded the other asks."""

import shutil
from dataclasses import replace

import pandas as pd
import pytest
import torch
from probing import Elsewhere

from bench.measuring.evaluation import Session
from bench.measuring.untouched import Untouched
from bench.selftests.answer_tests import LEFT_OUT

pytestmark = pytest.mark.usefixtures("cache")


def test_a_row_in_8_bit_never_loads_its_base_in_fp32_where_bf16_is_named(planned, opened, loads):
    run = planned("lora-8bit")
    named = opened(replace(run, model=replace(run.model, reference_precision="bf16")))
    base = Untouched(named)
    assert all(base.self_tests().values())
    base.asked.results()
    assert base.loaded.module().dtype == torch.bfloat16
    assert loads == [16, 8, 16]


def test_likelihoods_without_a_module_go_through_whole_probes(planned, opened, decoder_folder, cache, monkeypatch):
    run = planned("zero-shot", "sentiment", decoder_folder)
    session = opened(replace(run, probes=[each for each in run.probes if each[0].name in ("lambada", "arc-easy")]))
    here = Untouched(session).asked.probe_items(session.probes)
    shutil.rmtree(cache)
    monkeypatch.setattr(Session, "backend", lambda self, module, cast=True: Elsewhere(module, self.run.checkpoint))
    base = Untouched(session)
    tests, found = base.self_tests(), base.asked.probe_items(session.probes)
    assert base.loaded.module() is None
    assert all(tests.values()) and {f"{name}: {LEFT_OUT}" for name in ("lambada", "arc-easy")} < set(tests)
    for name in ("lambada", "arc-easy"):
        pd.testing.assert_frame_equal(found[name], here[name])
