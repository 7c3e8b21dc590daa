"""Tokens of probes, counted without a model, against what a backend is really asked."""

import pytest

from bench.inference.local import LocalBackend
from bench.planning.plan import PlanOptions, plan
from bench.planning.probe_cost import CountingBackend, probe_tokens
from bench.probes import probe_class
from bench.tasks.encoding import Encoding


@pytest.mark.parametrize("name", ["wikipedia", "lambada", "arc-easy", "spelling", "jeopardy", "drift"])
def test_every_kind_can_be_counted(library, decoder, monkeypatch, name):
    spec = library.probe(name)
    probe = probe_class(spec)(spec, Encoding(decoder, 128), 3)
    counting, asked = CountingBackend(decoder), []
    probe.measure(counting)
    for way in ("loglikelihoods", "losses", "embeddings"):
        sound = getattr(LocalBackend, way)
        monkeypatch.setattr(LocalBackend, way, lambda s, r, *a, w=sound, **k: asked.extend(r) or w(s, r, *a, **k))
    probe.measure(LocalBackend(decoder.load().eval(), decoder))
    if name == "wikipedia":
        assert counting.tokens == sum(len(text.ids) for text in asked)
    assert counting.tokens > 0


def test_tokens_of_all_items(decoder_folder):
    (few,) = plan(PlanOptions("sentiment", model=str(decoder_folder), strategies=["full"], probe_items=8), "fp32")
    (many,) = plan(PlanOptions("sentiment", model=str(decoder_folder), strategies=["full"], probe_items=64), "fp32")
    assert probe_tokens(many) == pytest.approx(8 * probe_tokens(few), rel=0.01) and probe_tokens(few) > 0
