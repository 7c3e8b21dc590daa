"""The parts of a transformer that strategies speak of: its stack of blocks, its linear layers, what stands around the trunk."""

from collections.abc import Iterable, Sequence
from itertools import takewhile

import torch
from transformers.pytorch_utils import Conv1D

from bench.errors import UserError


def set_dropout(model: torch.nn.Module, share: float) -> None:
    """Set the probability of every dropout layer, and of whatever drops by a number that its module holds."""
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = share
        # Llama's kind holds that of attention as a number, OPT all of its own, and Bloom and Falcon the one after a block.
        for name, value in list(vars(module).items()):
            if "dropout" in name and type(value) in (float, int):
                setattr(module, name, share)


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
    if _embeddings_train(model):
        return 0
    return next((i for i, block in enumerate(blocks) if _trained(block)), len(blocks))


def fixed(model: torch.nn.Module) -> list[torch.nn.Module]:
    """The modules below the lowest trained weight, each with all that is inside it: what they make of a text never changes.

    These are the embeddings and the blocks that a strategy freezes from the bottom.
    """
    blocks, order = list(layers(model)), list(model.modules())
    lowest = lowest_trained(model, blocks)
    if _embeddings_train(model):
        return []
    # In the order of the data's way: up to the first weight that trains, and no further than the block that holds it, whose
    # dropout is part of what trains there.
    end = order.index(blocks[lowest]) if lowest < len(blocks) else order.index(blocks[-1]) + len(list(blocks[-1].modules()))
    below = takewhile(lambda module: not _trained(module, recurse=False), order[:end])
    return [module for module in below if not _trained(module)]


def _embeddings_train(model: torch.nn.Module) -> bool:
    """A trained embedding lies below all blocks; the tokens that PEFT puts before a text are one too."""
    return any(_trained(module) for module in model.modules() if isinstance(module, torch.nn.Embedding))


def _trained(module: torch.nn.Module, recurse: bool = True) -> bool:
    return any(parameter.requires_grad for parameter in module.parameters(recurse))


def head_modules(model: torch.nn.Module) -> list[str]:
    """Names of the modules that a task's model has around its trunk, and of the trunk's pooler, which serves the head alone."""
    trunk = str(model.base_model_prefix)
    beside = [name for name, module in model.named_children() if name != trunk and list(module.parameters())]
    return [*beside, *([f"{trunk}.pooler"] if getattr(getattr(model, trunk), "pooler", None) is not None else [])]


def linear(blocks: Iterable[torch.nn.Module]) -> list[torch.nn.Module]:
    """The linear layers inside these blocks: what a quantised base holds in 8 or 4 bit."""
    # Conv1D is GPT-2's linear layer, its weight the other way round.
    return [module for block in blocks for module in block.modules() if isinstance(module, (torch.nn.Linear, Conv1D))]
