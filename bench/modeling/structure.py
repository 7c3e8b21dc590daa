"""The parts of a transformer that strategies speak of: its stack of blocks, its linear layers, what is around the backbone."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.pytorch_utils import Conv1D

from bench.errors import UserError
from bench.modeling.forward import backbone

LOADED = "_is_hf_initialized"
"""By which transformers marks weights that came from a file: its own initialisation passes them by."""
AFTER_BLOCKS = re.compile(r"final_\w+|norm(_f)?|ln_f|project_out|pooler")
"""Names of what a backbone does with its last block's states, right in it or in what holds its blocks."""


def set_dropout(model: torch.nn.Module, share: float) -> None:
    """Set the probability of every dropout layer, and of whatever drops by a number that its module holds."""
    for holder, name in _dropout_numbers(model):
        setattr(holder, name, share)


def drops(model: torch.nn.Module) -> bool:
    """Whether a decoder drops anything in training: numbers, or whole blocks as OPT's kind can."""
    # Of a config, but not of a decoder, is the dropout before a classifier.
    shares = (getattr(holder, name) for holder, name in _dropout_numbers(model) if name != "classifier_dropout")
    return any(shares) or any(getattr(module, "layerdrop", 0) for module in model.modules())


def _dropout_numbers(model: torch.nn.Module) -> list[tuple[Any, str]]:
    """Where probabilities stand by which something is dropped: (holder, attribute) each."""
    found: list[tuple[Any, str]] = []
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            found.append((module, "p"))
        # Llama's kind holds that of attention as a number, OPT all of its own, and Bloom and Falcon the one after a block.
        # Falcon asks its config at each pass.
        config = getattr(module, "config", None)
        for holder in (module, config) if isinstance(config, PreTrainedConfig) else (module,):
            names = (name for name, value in vars(holder).items() if "dropout" in name and type(value) in (float, int))
            found += [(holder, name) for name in names]
    return found


def layers(model: torch.nn.Module) -> torch.nn.ModuleList:
    """The stack of transformer blocks, bottom first: the longest list of modules of one class.

    Raises:
        UserError: the model has no such stack.
    """
    # By shape and not by name: `layers`, `layer`, `h` and `blocks` are all in use.
    lists = [m for m in model.modules() if isinstance(m, torch.nn.ModuleList) and len({type(block) for block in m}) == 1]
    if not lists:
        raise UserError(f"{type(model).__name__} has no stack of layers to freeze; use another strategy")
    return max(lists, key=len)


def lowest_trained(model: torch.nn.Module, blocks: Sequence[torch.nn.Module]) -> int:
    """Index of the lowest of the stack's `blocks` that gradients pass; len(blocks) where they pass none."""
    if _trains_below(model):
        return 0
    return next((i for i, block in enumerate(blocks) if has_trained_weights(block)), len(blocks))


def fixed(model: torch.nn.Module) -> list[torch.nn.Module]:
    """The modules below the lowest trained weight, each with all that is inside it: what they make of a text never changes.

    These are what stands before the blocks, and the blocks that a strategy freezes from the bottom.
    """
    if _trains_below(model):
        return []
    blocks = list(layers(model))
    return [*before_blocks(model), *(part for block in blocks[: lowest_trained(model, blocks)] for part in block.modules())]


def before_blocks(model: torch.nn.Module) -> list[torch.nn.Module]:
    """The backbone's modules that a text goes through before or beside the blocks: embeddings, with the norms and projections
    that stand behind them."""
    return [module for module, after in _around_blocks(model) if not after]


def in_order_of_data(model: torch.nn.Module) -> list[tuple[str, torch.nn.Module]]:
    """All modules by name, as a text goes through them: the backbone, what the backbone does after its blocks, the head."""
    last = {id(module) for module, after in _around_blocks(model) if after}
    inside = {id(module) for module in backbone(model).modules()} - last
    return sorted(model.named_modules(), key=lambda each: 0 if id(each[1]) in inside else 1 if id(each[1]) in last else 2)


def _around_blocks(model: torch.nn.Module) -> list[tuple[torch.nn.Module, bool]]:
    """The backbone's modules outside its blocks, and whether a text comes to them after the blocks.

    That is told by their names: OPT defines its last norm before its blocks, and DeBERTa the norm of its positions after them.
    """
    body = backbone(model)
    names = {id(module): name for name, module in body.named_modules()}
    stack = layers(body)
    holder = names[id(stack)].rpartition(".")[0]  # `encoder` of BERT; empty where the backbone itself holds the blocks
    inside = {id(module) for module in stack.modules()}
    outside = []
    for name, module in body.named_modules():
        if id(module) not in inside and all(part is not stack for part in module.modules()):
            own = name.removeprefix(f"{holder}.").partition(".")[0]
            outside.append((module, AFTER_BLOCKS.fullmatch(own) is not None))
    return outside


def _trains_below(model: torch.nn.Module) -> bool:
    """Whether a weight that trains lies below all blocks; the tokens that PEFT puts before a text are one too."""
    embeddings = [module for module in model.modules() if isinstance(module, torch.nn.Embedding)]
    return any(has_trained_weights(module, recurse=False) for module in (*embeddings, *before_blocks(model)))


def has_trained_weights(module: torch.nn.Module, recurse: bool = True) -> bool:
    """Whether a weight of the module trains: of all that is inside it, or without `recurse` of its own alone."""
    return any(parameter.requires_grad for parameter in module.parameters(recurse))


def head_modules(model: torch.nn.Module) -> list[str]:
    """Names of the modules that a task's model has around its backbone, and of its pooler, which serves the head alone."""
    inner = str(model.base_model_prefix)
    beside = [name for name, module in model.named_children() if name != inner and list(module.parameters())]
    return [*beside, *([f"{inner}.pooler"] if getattr(getattr(model, inner), "pooler", None) is not None else [])]


def draw_head(model: PreTrainedModel, loading_info: Mapping[str, Any]) -> None:
    """Draw a task's head anew where the checkpoint brought one of the same size, as one that was fine-tuned before does.

    The untouched model is asked without a head: what an old one knows would count as gained. A head that is new anyway stays.

    Args:
        loading_info: transformers' own.
    """
    prefix = f"{model.base_model_prefix}."
    drawn = {*loading_info["missing_keys"], *(name for name, *_ in loading_info["mismatched_keys"])}
    kept = [name for name, _ in model.named_parameters() if not name.startswith(prefix) and name not in drawn]
    heads = [module for name in {name.partition(".")[0] for name in kept} for module in model.get_submodule(name).modules()]
    for parameter in (parameter for module in heads for parameter in module.parameters(recurse=False)):
        setattr(parameter, LOADED, False)  # else transformers leaves it as it was loaded
    # The model itself too: ModernBERT draws its head where it is asked for the whole.
    for module in (*heads, *([model] if heads else [])):
        model._init_weights(module)


def linear(blocks: Iterable[torch.nn.Module]) -> list[torch.nn.Module]:
    """The linear layers inside these blocks: what a quantised base holds in 8 or 4 bit."""
    # Conv1D is GPT-2's linear layer, its weight the other way round.
    return [module for block in blocks for module in block.modules() if isinstance(module, (torch.nn.Linear, Conv1D))]
