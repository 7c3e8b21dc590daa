"""A model's YAML: one form, and a hub's commit."""

import pytest

from bench.errors import UserError
from bench.specs.base import read_spec
from bench.specs.model import ModelSpec

HUB = """name: far
description: a model on a hub
hub: somebody/far
revision: "%s"
config: {model_type: llama, architectures: [LlamaForCausalLM]}
license: MIT
""" % ("0" * 40)


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("hub: somebody/far\n", "", "name exactly one of folder, gguf, hub"),
        ("hub: somebody/far", "hub: somebody/far\nfolder: model", "name exactly one of folder, gguf, hub"),
        ("license", "asset: smollm2\nlicense", "folder and gguf are members of an asset, hub and endpoint are not"),
        ("license: MIT\n", "", "name the license of the weights"),
        ("0" * 40, "main", "field 'revision': String should match pattern"),
        ("model_type: llama, ", "", "a hub model needs a revision, and a config with model_type and architectures"),
        ("hub: somebody/far", "asset: smollm2\nfolder: model", "revision and config belong to a hub model"),
    ],
)
def test_a_hub_models_file_is_checked(tmp_path, old, new, sentence):
    path = tmp_path / "far.yaml"
    assert old in HUB
    path.write_text(HUB)
    assert read_spec(path, ModelSpec).hub == "somebody/far"
    path.write_text(HUB.replace(old, new))
    with pytest.raises(UserError) as caught:
        read_spec(path, ModelSpec)
    assert str(path) in str(caught.value) and sentence in str(caught.value)
