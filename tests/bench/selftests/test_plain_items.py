"""Items read one by one against `measure`, of each kind that there is: two ways, written apart, to the same numbers."""

import numpy as np
import pytest
import transformers
from probing import measured

import bench.probes
from bench import plugins
from bench.probes import Probe
from bench.probes.base import columns
from bench.selftests.plain_items import plain_items, plain_others, plain_score
from bench.selftests.plain_reader import PlainReader
from bench.tasks.encoding import Encoding

DECODERS = ["wikipedia", "lambada", "arc-easy", "winogrande", "spelling", "jeopardy", "drift"]
ENCODERS = ["mrpc", "mrpc-sentences", "medical-subjects", "drift"]


def test_every_kind_has_a_plain_reading():
    found = [plugins.load_class(bench.probes, kind, Probe, "probe kind") for kind in plugins.kinds(bench.probes)]
    assert found and all(plain_items.dispatch(kind) is not plain_items.dispatch(object) for kind in found)


@pytest.mark.parametrize(("family", "name"), [("decoder", n) for n in DECODERS] + [("encoder", n) for n in ENCODERS])
@pytest.mark.parametrize("limit", [160, 24])
def test_items_are_the_same(library, decoder, encoder, made, family, name, limit):
    model = {"decoder": decoder, "encoder": encoder}[family]
    net = model.load(transformers.AutoModelForCausalLM if family == "decoder" else transformers.AutoModel).eval()
    spec = library.probe(name)
    if name == "medical-subjects":
        spec = spec.model_copy(update={"options": {"train": 32}})
    if limit == 24 and name in ("spelling", "winogrande", "arc-easy"):
        limit = 64  # whose answers need more room
    probe = made(spec, Encoding(model, limit), 3)
    found, plain = measured(probe, net), plain_items(probe, PlainReader(net, model))
    assert len(found) == len(plain) == 3
    for row, item in zip(found.to_dict("records"), plain, strict=True):
        for column, value in item.items():
            same = value if isinstance(value, str) else pytest.approx(value, rel=1e-4, abs=1e-4)
            assert row[column] == same, column


@pytest.mark.parametrize("name", ["wikipedia", "arc-easy", "mrpc", "drift"])
def test_scores_are_the_same(library, decoder, encoder, made, name):
    model = encoder if name in ("mrpc", "drift") else decoder
    net = model.load(transformers.AutoModel if model is encoder else transformers.AutoModelForCausalLM).eval()
    probe = made(library.probe(name), Encoding(model, 64), 8)
    before = columns(measured(probe, net))
    generator = np.random.default_rng(0)
    after = {
        column: (
            np.array([np.asarray(v) + generator.normal(size=len(v)) for v in values])
            if column.startswith("layer")
            else values + generator.normal(size=8) / 10
            if column == "value"
            else values
        )
        for column, values in before.items()
    }
    assert plain_score(probe, before, after) == pytest.approx(probe.scores(before, after), rel=1e-6)
    assert plain_others(probe, before, after) == [
        pytest.approx(pair, rel=1e-6) for pair in probe.others(before, after).values()
    ]
