"""A folder that does not hold what its config describes is told in one sentence that names the file."""

import json
import shutil

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import (
    AlbertConfig,
    AlbertModel,
    AutoModelForCausalLM,
    AutoModelForSequenceClassification,
    BertConfig,
    BertForMaskedLM,
)

from bench.errors import UserError
from bench.modeling import model_folder_checks
from bench.modeling.models import Model, find_model
from bench.specs.library import Library

MISSING = object()


@pytest.fixture(scope="module")
def folders(tmp_path_factory, decoder_folder):
    """A decoder in several files, an encoder in one, and one whose layers share their weights."""
    place = tmp_path_factory.mktemp("sound")
    AutoModelForCausalLM.from_pretrained(decoder_folder).save_pretrained(place / "decoder", max_shard_size="300KB")
    config = BertConfig(vocab_size=1000, hidden_size=16, num_hidden_layers=2, num_attention_heads=2, intermediate_size=32)
    BertForMaskedLM(config).save_pretrained(place / "encoder")
    shared = {"embedding_size": 16, "hidden_size": 16, "num_hidden_layers": 4, "num_attention_heads": 2}
    AlbertModel(AlbertConfig(vocab_size=1000, intermediate_size=32, **shared)).save_pretrained(place / "albert")
    for folder in place.iterdir():
        for path in decoder_folder.glob("tokenizer*"):
            shutil.copy(path, folder)
    return place


def written(text):
    return lambda folder: (folder / "config.json").write_text(text)


def described(**changes):
    def change(folder):
        path = folder / "config.json"
        config = json.loads(path.read_text()) | changes
        path.write_text(json.dumps({name: value for name, value in config.items() if value is not MISSING}))

    return change


def weights(name, change):
    """The bytes of a file of weights, changed."""

    def do(folder):
        path = min(folder.glob(name))
        path.write_bytes(change(path.read_bytes()))

    return do


def tensors(change):
    def do(folder):
        path = folder / "model.safetensors"
        save_file(change(load_file(path)), path, metadata={"format": "pt"})

    return do


def poisoned(held):
    held["bert.encoder.layer.1.output.dense.weight"][3, 4] = float("inf")
    return held


def index(content):
    return lambda folder: (folder / "model.safetensors.index.json").write_text(content)


UNSOUND = {
    "an empty config": ("encoder", written(""), "config.json cannot be read as JSON (Expecting value: line 1 column 1"),
    "a broken config": ("encoder", written('{"a": '), "config.json cannot be read as JSON"),
    "a deep config": ("encoder", written("[" * 100_000), "config.json cannot be read as JSON"),
    "a config that is a list": ("encoder", written("[]"), "config.json names no model_type"),
    "a config without a type": ("encoder", described(model_type=MISSING), "config.json names no model_type"),
    "a type that is a number": ("encoder", described(model_type=5), "config.json names no model_type"),
    "an unknown type": (
        "encoder",
        described(model_type="berd"),
        "model_type 'berd' is unknown to the installed transformers",
    ),
    "a type of its own code": (
        "encoder",
        described(model_type="berd", auto_map={"AutoModel": "x.Y"}),
        "its own code may know it: --trust-remote-code",
    ),
    "an architecture that is no list": ("encoder", described(architectures=3), "architectures must be a list of names"),
    "another vocabulary": (
        "encoder",
        described(vocab_size=60),
        "model.safetensors: 'bert.embeddings.word_embeddings.weight' is of size 1000 x 16, and config.json makes it 60 x 16",
    ),
    "a vocabulary of a decoder": (
        "decoder",
        described(vocab_size=1200),
        "is of size 1000 x 64, and config.json makes it 1200 x 64",
    ),
    "no layers": ("decoder", described(num_hidden_layers=0), "config.json describes a model without layers"),
    "layers below zero": ("decoder", described(num_hidden_layers=-1), "config.json describes a model without layers"),
    "layers in words": ("decoder", described(num_hidden_layers="four"), "config.json describes no model that can be built"),
    "fewer layers": ("decoder", described(num_hidden_layers=2), "files hold 4 layers, and config.json describes 2"),
    "more layers": ("decoder", described(num_hidden_layers=6), "files hold 4 layers, and config.json describes 6"),
    "layers that are shared": (
        "albert",
        lambda _: None,
        "a text goes through 4 layers, of which the model holds 1",
    ),
    "no heads": ("decoder", described(num_attention_heads=0), "config.json describes no model that can be built"),
    "an unknown activation": ("decoder", described(hidden_act="loud"), "config.json describes no model that can be built"),
    "a truncated file": (
        "encoder",
        weights("*.safetensors", lambda b: b[: len(b) // 2]),
        "model.safetensors is no safetensors file",
    ),
    "an empty file": ("encoder", weights("*.safetensors", lambda _: b""), "model.safetensors is no safetensors file"),
    "a text": ("encoder", weights("*.safetensors", lambda _: b"not found" * 9), "model.safetensors is no safetensors file"),
    "a truncated part": ("decoder", weights("*-00002-of-*", lambda b: b[:-1]), "-of-00003.safetensors is no safetensors file"),
    "infinite numbers": (
        "encoder",
        tensors(poisoned),
        "model.safetensors: 'bert.encoder.layer.1.output.dense.weight' has 1 numbers of 512 that are not finite",
    ),
    "weights of something else": (
        "encoder",
        tensors(lambda _: {"x": torch.zeros(2)}),
        "is one of the BertModel in its config",
    ),
    "a part that is missing": (
        "decoder",
        lambda folder: min(folder.glob("*-of-*")).unlink(),
        "the folder has no such file",
    ),
    "an index of nothing": ("decoder", index("{}"), "model.safetensors.index.json is no index of safetensors files"),
    "an index that leads out": ("decoder", index('{"weight_map": {"a": "../model.safetensors"}}'), "has no such file"),
}


@pytest.mark.parametrize("case", UNSOUND)
def test_an_unsound_folder_is_refused_by_one_sentence(folders, tmp_path, case):
    base, change, sentence = UNSOUND[case]
    folder = shutil.copytree(folders / base, tmp_path / "model")
    change(folder)
    with pytest.raises(UserError) as caught:
        find_model(str(folder), Library())
    told = str(caught.value)
    assert sentence in told and str(folder) in told and "\n" not in told and len(told) < 600


@pytest.mark.parametrize("base", ["decoder", "encoder"])
def test_a_sound_folder_passes(folders, base):
    assert find_model(str(folders / base), Library()).family == base


def test_a_backbone_saved_alone_passes(folders, tmp_path):
    model = BertForMaskedLM.from_pretrained(folders / "encoder").bert
    model.save_pretrained(tmp_path / "backbone")
    model_folder_checks.check_weights(
        tmp_path / "backbone", Model("m", folders / "encoder", "").shape(AutoModelForSequenceClassification).bert
    )
    half = BertForMaskedLM.from_pretrained(folders / "encoder").to(torch.bfloat16)
    half.save_pretrained(shutil.copytree(folders / "encoder", tmp_path / "half"))
    assert find_model(str(tmp_path / "half"), Library()).family == "encoder"


def test_what_a_loaded_model_lacks_was_drawn_at_random_and_is_refused(folders, tmp_path):
    folder = shutil.copytree(folders / "encoder", tmp_path / "model")
    tensors(lambda held: {name: t for name, t in held.items() if "layer.1.output.dense" not in name})(folder)
    model = find_model(str(folder), Library())  # a layer is there as a whole or not at all, as far as names tell
    with pytest.raises(
        UserError, match=r"hold no 'bert\.encoder\.layer\.1\.output\.dense\.bias' and 1 more of a BertForSequence"
    ):
        model.load(AutoModelForSequenceClassification, num_labels=3)


def without_tokenizer(folder):
    for path in folder.glob("tokenizer*"):
        path.unlink()


def with_a_larger_one(folder):
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    tokenizer["model"]["vocab"] |= {f"more{n}": n for n in range(1000, 1007)}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))


def with_ends(folder):
    """As a recipe with add_eos_token=True saves it: each text has the end behind it."""
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    end = {"SpecialToken": {"id": "</s>", "type_id": 0}}
    whole = {"Sequence": {"id": "A", "type_id": 0}}
    ends = {"</s>": {"id": "</s>", "ids": [2], "tokens": ["</s>"]}}
    pair = [whole, {"Sequence": {"id": "B", "type_id": 1}}]
    tokenizer["post_processor"] = {"type": "TemplateProcessing", "single": [whole, end], "pair": pair, "special_tokens": ends}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer))


def in_python(folder):
    """CTRL has no other."""
    without_tokenizer(folder)
    (folder / "vocab.json").write_text(json.dumps({"<unk>": 0, "a</w>": 1, "a": 2}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    (folder / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "CTRLTokenizer"}))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (with_ends, "its tokenizer ends each text with </s>, behind which no model would go on with a prompt"),
        (in_python, r"its tokenizer \(CTRLTokenizer\) is one of those in Python"),
        (without_tokenizer, r"decoder has no tokenizer, such as tokenizer\.json"),
        (with_a_larger_one, r"tokenizer's 1,007 tokens go up to number 1,006, and the embedding has 1,000 rows"),
        (lambda folder: (folder / "tokenizer.json").write_text("{"), r"decoder: its tokenizer cannot be loaded: "),
    ],
)
def test_a_tokenizer_that_is_not_the_models_is_told(folders, tmp_path, change, sentence):
    folder = shutil.copytree(folders / "decoder", tmp_path / "decoder")
    change(folder)
    with pytest.raises(UserError, match=sentence) as told:
        find_model(str(folder), Library())
    assert "\n" not in str(told.value)
