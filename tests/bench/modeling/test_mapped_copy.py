"""What processes of one machine load that share weights out: the same numbers, and no memory of their own."""

import re
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from transformers import LlamaConfig, LlamaForCausalLM

from bench.modeling import models
from bench.modeling.mapped_copy import FORMATS, MappedCopy

ROLLUP = Path("/proc/self/smaps_rollup")
LOADING = """
import sys
from pathlib import Path
from bench.modeling.mapped_copy import MappedCopy
from bench.modeling.models import Model

def own():
    (line,) = (line for line in Path("/proc/self/smaps_rollup").read_text().splitlines() if line.startswith("Anonymous:"))
    return int(line.split()[1]) * 1024

model = Model("m", Path(sys.argv[1]), "hash")
copy = MappedCopy(model, 32)
source = copy.made() if sys.argv[2] == "mapped" else model
first = source.load()  # with what is taken but once
before = own()
loaded = source.load()
total = sum(float(weight.detach().sum()) for weight in loaded.parameters())  # each page has been read
print(own() - before, sum(weight.nbytes for weight in loaded.parameters()), total)
"""


@pytest.fixture
def saved(decoder, tmp_path, monkeypatch):
    """The decoder as it is saved in another format, and its files in several."""
    monkeypatch.setenv("TUNEBENCH_CACHE", str(tmp_path / "cache"))

    def saved_as(torch_type, **more):
        folder = tmp_path / str(torch_type)
        model = decoder.load().to(torch_type)
        model.save_pretrained(folder, **more)
        decoder.tokenizer.save_pretrained(folder)
        return models.Model("tiny", folder, "0123456789abcdef" * 4)

    return saved_as


@pytest.mark.parametrize("bits", FORMATS)
@pytest.mark.parametrize("torch_type", [torch.float16, torch.bfloat16, torch.float32, torch.float64])
def test_it_is_the_same_model(saved, torch_type, bits):
    model = saved(torch_type, max_shard_size="200KB")
    copy = MappedCopy(model, bits)
    size, made = copy.missing_bytes, copy.made()
    if torch_type == FORMATS[bits][1]:
        assert not copy.needed and size == 0 and made is model
        return
    wanted = model.load(bits=bits).state_dict()
    (model.folder / "config.json").unlink()  # nothing of the copy hangs on the files that it was made of
    found, files = made.load(bits=bits).state_dict(), list(made.folder.glob("*.safetensors"))
    assert found.keys() == wanted.keys() and all(torch.equal(found[name], weight) for name, weight in wanted.items())
    assert {weight.dtype for weight in found.values()} == {FORMATS[bits][1]}
    held = sum(tensor.nbytes for path in files for tensor in load_file(path).values())
    assert held == size and len(files) > 1 and copy.missing_bytes == 0
    assert made.tokenizer("a film").input_ids and made.content_hash == model.content_hash


def test_it_is_made_once(saved):
    model = saved(torch.bfloat16)
    files = [list(MappedCopy(replace(model), 32).made().folder.glob("*.safetensors")) for _ in range(2)]
    assert files[0] == files[1] and not list(model.folder.parent.glob("cache/mapped/.*.part"))
    inode, when = files[0][0].stat().st_ino, files[0][0].stat().st_mtime_ns
    MappedCopy(replace(model), 32).made()
    assert (files[0][0].stat().st_ino, files[0][0].stat().st_mtime_ns) == (inode, when)


def test_a_mask_of_odd_size_and_a_number_alone_are_kept(saved):
    model = saved(torch.bfloat16)
    path = model.folder / "model.safetensors"
    more = {"a.mask": torch.tensor([True, False, True]), "scale": torch.tensor(0.5, dtype=torch.bfloat16)}
    save_file(load_file(path) | more, path, metadata={"format": "pt"})
    found = load_file(MappedCopy(model, 32).made().folder / path.name)
    assert found["a.mask"].tolist() == [True, False, True] and found["scale"].dtype == torch.float32 and found["scale"] == 0.5
    with safe_open(MappedCopy(model, 32).path / path.name, framework="pt") as file:
        assert file.metadata() == {"format": "pt"}


def test_a_class_that_keeps_some_weights_in_fp32_has_no_copy_in_16_bits(saved, monkeypatch):
    """Planted fault: DeepSeek's routing would be rounded, which transformers leaves as it is."""
    model = saved(torch.float32)
    assert MappedCopy(model, 16).needed
    monkeypatch.setattr(LlamaForCausalLM, "_keep_in_fp32_modules_strict", ["norm"])
    assert not MappedCopy(model, 16).needed


@pytest.mark.skipif(not ROLLUP.is_file(), reason="what a process holds alone is told by Linux")
def test_a_process_holds_no_weights_of_its_own(tmp_path, monkeypatch):
    """Planted fault: each process converted all weights for itself, 27 GB of a model of 6.7 billion."""
    monkeypatch.setenv("TUNEBENCH_CACHE", str(tmp_path / "cache"))
    config = LlamaConfig(vocab_size=8192, hidden_size=512, intermediate_size=1024, num_hidden_layers=2, num_attention_heads=8)
    model = LlamaForCausalLM(config).to(torch.bfloat16)
    model.save_pretrained(tmp_path / "wide")

    def told(way):
        done = subprocess.run([sys.executable, "-c", LOADING, str(tmp_path / "wide"), way], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return map(float, re.findall(r"\S+", done.stdout))

    own, whole, total = told("mapped")
    assert own < whole / 8
    converting, _, same = told("converted")
    assert converting > 0.9 * whole and total == same
