"""Which probes a model is asked, and with how many items."""

import json

import pytest

from bench.errors import UserError
from bench.modeling.models import find_model
from bench.planning.fitting_probes import fitting_probes
from bench.planning.options import PlanOptions
from bench.planning.plan import plan
from bench.probes import probe_class
from bench.specs.library import Library


@pytest.fixture(scope="module")
def fitting():
    """The names of a suite's probes that are asked, with their items, and what is told of others."""
    library = Library()

    def found(model="minilm", suite="sentiment", **options):
        spec = library.suite(suite)
        kinds = [(each, probe_class(each)) for each in map(library.probe, spec.probes)]
        probes, told = fitting_probes(spec, PlanOptions(suite, **options), kinds, find_model(model, library))
        return {each.name: items for each, items in probes}, told

    return found


def test_a_family_is_asked_its_own_probes_by_its_own_limit(fitting):
    assert fitting() == ({"mrpc": 128}, ())
    decoder, told = fitting("smollm2")
    assert set(decoder.values()) == {64} and "mrpc" not in decoder and not told


def test_the_command_lines_number_is_taken_as_it_is(fitting):
    assert fitting(probe_items=9)[0] == {"mrpc": 9}
    assert set(fitting("smollm2", probe_items=99)[0].values()) == {99}


def test_more_items_than_a_probe_has_are_all_of_them(fitting):
    """Of a linear probe without the rows that its classifier is fitted on: it would else refuse in every run."""
    held = {
        probe: probe_class(spec).available_items(spec)
        for probe in ("mrpc", "health-subjects")
        for spec in [Library().probe(probe)]
    }
    assert fitting(probe_items=10**6)[0] == {"mrpc": held["mrpc"]}
    assert fitting(suite="medical", probe_items=10**6)[0]["health-subjects"] == held["health-subjects"]


def test_power_goes_before_limits(fitting):
    """A loss of 1 nat needs few items."""
    powered, _ = fitting("smollm2", probe_power="1nats")
    assert 0 < powered["wikipedia"] < 64
    with pytest.raises(UserError, match="probe power 'many'"):
        fitting("smollm2", probe_power="many")


def test_a_probe_that_a_model_cannot_be_asked_is_left_out_and_told(tmp_path):
    """An API writes and does no more, and each probe for decoders needs likelihoods, losses or hidden states."""
    mine = {"name": "api", "description": "d", "endpoint": {"base_url": "http://localhost:1/v1", "model": "m"}}
    (tmp_path / "api.yaml").write_text(json.dumps(mine))
    (run,) = plan(PlanOptions("sentiment", model=str(tmp_path / "api.yaml"), strategies=["zero-shot"]), "fp32")
    of_decoders = [name for name in Library().suite("sentiment").probes if name != "mrpc"]
    assert run.probes == () and len(run.left_out) == len(of_decoders)
    for name, sentence in zip(of_decoders, run.left_out, strict=True):
        assert sentence.startswith(f"probe '{name}' is left out: 'api' is asked over an API, which gives no ")
