"""A model's content hash: the same where outputs are, another where they aren't."""

import json
import os
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForCausalLM

from bench.errors import UserError
from bench.modeling import model_hash
from bench.modeling.model_hash import HASH_FILE, check_unchanged, content_hash, kept_hash


@pytest.fixture
def copy(tmp_path, decoder_folder):
    return shutil.copytree(decoder_folder, tmp_path / "copy")


def edited(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def test_what_changes_no_output_changes_no_hash(copy, decoder_folder):
    before = content_hash(decoder_folder)
    edited(copy / "config.json", transformers_version="9.9", _name_or_path="/elsewhere")
    edited(copy / "generation_config.json", transformers_version="9.9")
    edited(copy / "tokenizer_config.json", is_local=True, name_or_path="somebody/tiny")
    tokenizer = json.loads((copy / "tokenizer.json").read_text())
    (copy / "tokenizer.json").write_text(json.dumps(dict(reversed(tokenizer.items())), indent=7))
    (copy / "README.md").write_text("words for people")
    assert content_hash(copy) == before


def test_weights_count_as_tensors_however_they_are_cut_into_files(copy, decoder_folder):
    before = content_hash(decoder_folder)
    model = AutoModelForCausalLM.from_pretrained(copy)
    (copy / "model.safetensors").unlink()
    model.save_pretrained(copy, max_shard_size="200KB")
    assert len(list(copy.glob("*.safetensors"))) > 1 and (copy / "model.safetensors.index.json").is_file()
    assert content_hash(copy) == before


def test_two_files_that_are_exchanged_are_another_model(copy):
    """Planted fault: with the same tensors' names they had one hash, and transformers loads the one that is called so."""
    save_file({name: tensor + 1 for name, tensor in load_file(copy / "model.safetensors").items()}, copy / "best.safetensors")
    before = content_hash(copy)
    for old, new in (("model", "third"), ("best", "model"), ("third", "best")):
        (copy / f"{old}.safetensors").rename(copy / f"{new}.safetensors")
    assert content_hash(copy) != before


@pytest.mark.parametrize("name", ["adapter_model", "best"])
def test_a_file_beside_the_model_s_counts(copy, name):
    """transformers loads an adapter that lies there too, and weights that config.json names."""
    weights, found = load_file(copy / "model.safetensors"), [content_hash(copy)]
    for factor in (1.0, 5.0):
        save_file({key: tensor * factor for key, tensor in weights.items()}, copy / f"{name}.safetensors")
        found.append(content_hash(copy))
    assert len(set(found)) == 3


def test_where_an_index_names_the_files_they_count(copy):
    alone = content_hash(copy)
    (copy / "model.safetensors").rename(copy / "one.safetensors")
    weights = load_file(copy / "one.safetensors")
    save_file({name: tensor + 1 for name, tensor in weights.items()}, copy / "two.safetensors")
    found = []
    for name in ("one", "two"):
        index = {"metadata": {}, "weight_map": dict.fromkeys(weights, f"{name}.safetensors")}
        (copy / "model.safetensors.index.json").write_text(json.dumps(index))
        found.append(content_hash(copy))
        model = AutoModelForCausalLM.from_pretrained(copy)
        assert torch.equal(model.model.norm.weight, load_file(copy / f"{name}.safetensors")["model.norm.weight"])
    assert len({alone, *found}) == 3


def test_a_folder_is_read_again_where_a_file_was_touched(copy, monkeypatch):
    """To a file of the same size and of the same time of change, too."""
    before, path = content_hash(copy), copy / "model.safetensors"
    monkeypatch.setattr(model_hash, "_hashed_tensors", lambda _: pytest.fail("nothing was touched"))
    assert content_hash(copy) == before
    monkeypatch.undo()
    check_unchanged(copy, before)
    status, content = path.stat(), bytearray(path.read_bytes())
    content[-1] ^= 1
    path.write_bytes(content)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert content_hash(copy) != before
    with pytest.raises(UserError, match="has changed since the run was planned; give the command again"):
        check_unchanged(copy, before)


@pytest.mark.parametrize(
    "change", ["weight", "type", "config", "vocabulary", "a word that elsewhere is incidental", "template", "ranks", "code"]
)
def test_what_changes_an_output_changes_the_hash(copy, decoder_folder, change):
    weights = load_file(copy / "model.safetensors")
    if change == "weight":
        save_file(weights | {"model.norm.weight": weights["model.norm.weight"] * 1.001}, copy / "model.safetensors")
    elif change == "type":
        save_file({name: tensor.to(torch.bfloat16) for name, tensor in weights.items()}, copy / "model.safetensors")
    elif change == "config":
        edited(copy / "config.json", rms_norm_eps=1e-4)
    elif change == "vocabulary":
        edited(copy / "tokenizer.json", normalizer={"type": "Lowercase"})
    elif change == "a word that elsewhere is incidental":
        edited(copy / "tokenizer.json", name_or_path=7)
    elif change == "template":
        (copy / "chat_template.jinja").write_text("{{ messages }}")
    elif change == "ranks":
        (copy / "vocab.tiktoken").write_text("IQ== 0")
    else:
        (copy / "modeling.py").write_text("# own code")
    assert content_hash(copy) != content_hash(decoder_folder)


def test_the_hash_is_kept_beside_the_files(copy, decoder_folder):
    assert kept_hash(copy) == content_hash(decoder_folder) == (copy / HASH_FILE).read_text()
    # Within a process it is looked at once; the next one sees the change.
    (copy / "chat_template.jinja").write_text("{{ messages }}")
    assert kept_hash(copy) == content_hash(decoder_folder)
    kept_hash.cache_clear()
    with pytest.raises(ValueError, match="has another content than when it was made"):
        kept_hash(copy)


@pytest.mark.parametrize("damage", [b"", b"\xff" * 8, b"\x02" + b"\0" * 7 + b"[]", b"\x0c" + b"\0" * 7 + b'{"a": {"b"}}'])
def test_a_damaged_weight_file_gets_a_sentence(copy, damage):
    (copy / "model.safetensors").write_bytes(damage)
    with pytest.raises(UserError, match=r"model\.safetensors is no safetensors file, or is damaged"):
        content_hash(copy)


@pytest.mark.parametrize("name", ["tokenizer.json", "merges.txt"])
def test_a_device_in_the_place_of_a_file_is_not_read(copy, name):
    """A checkout of others may hold such a link."""
    (copy / name).unlink(missing_ok=True)
    (copy / name).symlink_to("/dev/zero")
    with pytest.raises(UserError, match=f"{name} is no plain file"):
        content_hash(copy)
