import pytest
import torch
from torch import nn
from transformers import AutoModelForSequenceClassification

from bench import models
from bench.errors import UserError


def test_families(decoder, encoder):
    assert decoder.family == "decoder"
    assert encoder.family == "encoder"


def test_the_same_files_are_the_same_model_wherever_they_lie(decoder, decoder_folder, tmp_path, library):
    import shutil

    copy = shutil.copytree(decoder_folder, tmp_path / "elsewhere")
    assert models.find(str(copy), library).content_hash == decoder.content_hash
    (copy / "config.json").write_text((copy / "config.json").read_text() + "\n")
    assert models.find(str(copy), library).content_hash != decoder.content_hash


def test_layers_are_the_stack(decoder, encoder):
    assert len(models.layers(decoder.load())) == 4
    assert len(models.layers(encoder.load(AutoModelForSequenceClassification))) == 2
    with pytest.raises(UserError, match="has no stack of layers"):
        models.layers(nn.Linear(2, 2))


@pytest.mark.parametrize("bits", [8, 4])
def test_the_stack_is_quantised_and_what_stands_around_it_is_not(decoder, encoder, bits):
    for model in (decoder.load(bits=bits), encoder.load(AutoModelForSequenceClassification, bits, num_labels=2)):
        inside = {id(module) for block in models.layers(model) for module in block.modules()}
        for module in model.modules():
            if isinstance(module, nn.Linear):
                quantised = module.weight.dtype in (torch.int8, torch.uint8)
                assert quantised == (id(module) in inside)


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("minilmm", "unknown model 'minilmm'; did you mean minilm?"),
        ("./nowhere", "no such folder"),
        ("no-such/model", r"not a folder, not pinned, and the hub did not give it .* use a pinned model"),
    ],
)
def test_unknown_models_say_what_to_use(library, monkeypatch, name, sentence):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(UserError, match=sentence):
        models.find(name, library)


def test_only_safetensors_are_loaded(tmp_path, decoder_folder, library):
    (tmp_path / "config.json").write_text((decoder_folder / "config.json").read_text())
    (tmp_path / "pytorch_model.bin").write_bytes(b"pickle")
    with pytest.raises(UserError, match="has no safetensors file"):
        models.find(str(tmp_path), library)
    (tmp_path / "config.json").unlink()
    with pytest.raises(UserError, match="has no config.json"):
        models.find(str(tmp_path), library)


def test_a_hub_model_is_taken_from_the_local_cache(tmp_path, monkeypatch, decoder, decoder_folder, library):
    """The hub's own cache layout stands in for the hub."""
    import shutil

    commit = "0" * 40
    place = tmp_path / "models--somebody--tiny"
    shutil.copytree(decoder_folder, place / "snapshots" / commit)
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text(commit)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    found = models.find("somebody/tiny", library)
    assert found.name == "somebody/tiny" and found.family == "decoder"
    assert found.content_hash == decoder.content_hash
