"""The base is loaded when it is asked for, and one at a time."""

import gc
import weakref
from dataclasses import replace

from torch import nn

from bench.inference.endpoint_backend import EndpointBackend
from bench.inference.endpoint_model import EndpointModel
from bench.measuring import loaded_base
from bench.measuring.loaded_base import LoadedBase
from bench.measuring.rounding import Rounding
from bench.modeling.models import Model
from bench.specs.model import EndpointSpec


def test_one_base_at_a_time_is_in_memory(session, monkeypatch):
    alive, seen = [], []

    def load(self, auto_class, bits, device):
        gc.collect()
        seen.append((bits, sum(module() is not None for module in alive)))
        module = nn.Linear(2, 2)
        alive.append(weakref.ref(module))
        return module

    monkeypatch.setattr(Model, "load", load)
    base = LoadedBase(session)
    for bits in (32, 32, 8, 8, 32):
        base.backend(Rounding(bits, cast=False))
    base.forget()
    base.backend()
    # Of each: its bits, and how many earlier ones were still there when it was loaded.
    assert seen == [(32, 0), (8, 0), (32, 0), (32, 0)]


def test_what_is_cast_is_not_loaded_again(session, loads):
    """To cast is part of asking. Planted fault: a run in bf16 loaded its base twice, and one that is cast again for each."""
    base = LoadedBase(session)
    first = base.backend(Rounding(32, cast=False))
    cast = base.backend(Rounding(32, cast=True))
    again = base.backend(Rounding(32, cast=False))
    assert len(loads) == 1 and cast.module is first.module is again.module
    assert [each.cast for each in (first, cast, again)] == [False, True, False]


def test_a_base_that_is_to_be_shared_out_is_mapped(session, tmp_path, monkeypatch):
    asked = []
    monkeypatch.setattr(loaded_base, "to_load", lambda model, bits, accelerator: asked.append(bits) or model)
    base = LoadedBase(session)
    base.backend()
    base.backend(Rounding(16, cast=False))
    assert asked == [32, 16]


def test_a_model_behind_an_api_is_not_loaded(session, loads):
    model = EndpointModel("api", EndpointSpec(base_url="http://127.0.0.1:9/v1", model="m"))
    base = LoadedBase(replace(session, run=replace(session.run, model=model)))
    assert isinstance(base.backend(), EndpointBackend) and base.module() is None
    assert loads == []
