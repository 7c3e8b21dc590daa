"""Whether a model's folder holds the model that its config.json describes, found before anything is loaded or trained."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from torch import nn
from transformers import CONFIG_MAPPING

from bench.errors import UserError
from bench.modeling.model_hash import weight_files
from bench.modeling.structure import layers
from bench.specs.base import Family

Weights = dict[str, tuple[Path, list[int]]]
"""A tensor's name -> the file that holds it, and its shape."""
TOKENIZER_FILES = ("tokenizer*", "vocab*", "merges*", "*.model", "*.tiktoken")


def check_config(folder: Path, trust_remote_code: bool) -> None:
    """Whether config.json can be read and names a kind of model that transformers knows.

    Raises:
        UserError: it is not so; the sentence names the file.
    """
    path = folder / "config.json"
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError) as error:
        reason = " ".join(str(error).split())[:200]
        raise UserError(f"{path} cannot be read as JSON ({reason}); save the model again with save_pretrained") from error
    kind = config.get("model_type") if isinstance(config, dict) else None
    if not isinstance(kind, str) or not kind:
        raise UserError(f"{path} names no model_type, such as bert or llama; save the model again with save_pretrained")
    named = config.get("architectures")
    if named is not None and not (isinstance(named, list) and all(isinstance(name, str) for name in named)):
        raise UserError(f"{path}: architectures must be a list of names, such as [BertForMaskedLM]")
    if kind not in CONFIG_MAPPING and not (trust_remote_code and "auto_map" in config):
        own = "auto_map" in config
        advice = "its own code may know it: --trust-remote-code" if own else "correct it, or install a version that knows it"
        raise UserError(f"{path}: model_type '{kind:.60}' is unknown to the installed transformers; {advice}")


def check_weights(folder: Path, shape: nn.Module) -> None:
    """Whether the files' tensors are of the sizes that the config says, and hold finite numbers.

    Args:
        shape: the model on the meta device, as the config makes it.

    Raises:
        UserError: a file is damaged or missing, none of the config's tensors is there, or one is of another size or not finite.
    """
    stored = _stored_shapes(folder)
    wanted = {name: list(tensor.shape) for name, tensor in shape.state_dict().items()}
    matched = {name: inside for name in stored if (inside := _known_as(name, wanted, str(shape.base_model_prefix)))}
    if not matched:
        raise UserError(f"{folder}: no tensor of its safetensors files is one of the {type(shape).__name__} in its config.json")
    for name, inside in matched.items():
        path, size = stored[name]
        if size != wanted[inside]:
            raise UserError(
                f"{path}: '{name}' is of size {_size_text(size)}, and config.json makes it {_size_text(wanted[inside])}; "
                "the two are of different models, or one of them was changed"
            )
    _check_layers(folder, shape, stored)
    for name, tensor in _stored_tensors(folder):
        # One that is not finite makes the sum so, which is faster to take than to look at each.
        if not tensor.is_floating_point() or tensor.element_size() == 1 or tensor.sum(dtype=torch.float32).isfinite():
            continue
        if wrong := int((~torch.isfinite(tensor)).sum()):
            raise UserError(f"{stored[name][0]}: '{name}' has {wrong:,} numbers of {tensor.numel():,} that are not finite")


def check_tokenizer(folder: Path) -> None:
    """Whether there is a tokenizer: of a folder without one transformers makes one to which every word is unknown.

    Raises:
        UserError: there is none.
    """
    if not any(path for pattern in TOKENIZER_FILES for path in folder.glob(pattern)):
        raise UserError(f"{folder} has no tokenizer, such as tokenizer.json; save the model's own there with save_pretrained")


def check_tokenising(folder: Path, tokenizer: Any, family: Family) -> None:
    """Whether a tokenizer says where its tokens stand in a text, and ends no text by itself that a decoder is to go on with.

    Raises:
        UserError: it does not.
    """
    if not tokenizer.is_fast:
        raise UserError(
            f"{folder}: its tokenizer ({type(tokenizer).__name__}) is one of those in Python, which do not say where a token "
            "stands in a text; give it a tokenizer.json, or name another model"
        )
    bare, whole = (tokenizer("a", add_special_tokens=special)["input_ids"] for special in (False, True))
    end = tokenizer.eos_token_id
    if family == "decoder" and end is not None and whole[-1:] == [end] != bare[-1:]:
        raise UserError(
            f"{folder}: its tokenizer ends each text with {tokenizer.eos_token}, behind which no model would go on with a "
            "prompt; save it again with add_eos_token=False"
        )


def check_vocabulary(folder: Path, vocabulary: Mapping[str, int], rows: int | None) -> None:
    """Whether each token has a row in the embedding.

    Args:
        vocabulary: token -> its id.
        rows: those of the embedding, as config.json says; None where it does not say.

    Raises:
        UserError: a token has none.
    """
    highest = max(vocabulary.values(), default=-1)
    if rows is not None and highest >= rows:
        raise UserError(
            f"{folder}: the tokenizer's {len(vocabulary):,} tokens go up to number {highest:,}, and the embedding has {rows:,} "
            "rows; it is another model's: save the model's own there"
        )


def check_loaded(folder: Path, model: nn.Module, loading_info: dict[str, Any], new_head: bool) -> None:
    """Whether all weights came from the files; others were drawn at random, and transformers says so in a table alone.

    Args:
        loading_info: transformers' own.
        new_head: whether what stands around the backbone may be new. A backbone's pooler may always be: it serves the head.

    Raises:
        UserError: weights are missing, or of another size.
    """
    prefix = f"{model.base_model_prefix}."
    drawn = {*loading_info["missing_keys"], *(name for name, *_ in loading_info["mismatched_keys"])}
    odd = sorted(name for name in drawn if not name.removeprefix(prefix).startswith("pooler."))
    if new_head:
        odd = [name for name in odd if name.startswith(prefix)]
    if odd:
        more = f" and {len(odd) - 1} more" if len(odd) > 1 else ""
        raise UserError(f"{folder}: its safetensors files hold no '{odd[0]}'{more} of a {type(model).__name__}; save it whole")


def _check_layers(folder: Path, shape: nn.Module, stored: Weights) -> None:
    """Layers that the files lack would be drawn at random, and those that the config leaves out be left out, without a word."""
    described = getattr(shape.config, "num_hidden_layers", 1)
    if described < 1:
        raise UserError(f"{folder / 'config.json'} describes a model without layers")
    blocks, prefix = layers(shape), f"{shape.base_model_prefix}."
    stack = next(name for name, module in shape.named_modules() if module is blocks).removeprefix(prefix)
    inside = [rest for name in stored for start, _, rest in [name.removeprefix(prefix).partition(f"{stack}.")] if not start]
    there = {int(number) for number in (rest.partition(".")[0] for rest in inside) if number.isdigit()}
    if there and there != set(range(len(blocks))):
        raise UserError(f"{folder}: its safetensors files hold {len(there)} layers, and config.json describes {len(blocks)}")
    if len(blocks) < described:
        raise UserError(
            f"{folder}: a text goes through {described} layers, of which the model holds {len(blocks)}, as ALBERT does; costs "
            "and frozen layers do not know of that: name another model"
        )


def _known_as(name: str, wanted: dict[str, Any], prefix: str) -> str:
    """The tensor's name in the shape: a file may hold the backbone alone, or a model around it; empty if it is not there."""
    return next((each for each in (name, name.removeprefix(f"{prefix}."), f"{prefix}.{name}") if each in wanted), "")


def _size_text(size: list[int]) -> str:
    return " x ".join(map(str, size)) or "1"


def _stored_shapes(folder: Path) -> Weights:
    weights: Weights = {}
    for path in weight_files(folder):
        try:
            with safe_open(path, framework="pt") as file:
                weights |= {name: (path, list(file.get_slice(name).get_shape())) for name in file.keys()}  # noqa: SIM118
        except (SafetensorError, OSError) as error:
            reason = " ".join(str(error).split())[:200]
            raise UserError(f"{path} is no safetensors file, or is damaged ({reason}); fetch or save it again") from error
    return weights


def _stored_tensors(folder: Path) -> Iterator[tuple[str, torch.Tensor]]:
    for path in weight_files(folder):
        with safe_open(path, framework="pt") as file:
            for name in file.keys():  # noqa: SIM118 (it is no mapping)
                yield name, file.get_tensor(name)
