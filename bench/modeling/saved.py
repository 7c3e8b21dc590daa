"""A trained model in the ecosystem's own format, for whoever goes on with it: transformers or PEFT reads it back."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn

from bench.errors import RunError
from bench.folders import writing
from bench.modeling.forward import unlaunched, unwrapped
from bench.modeling.heads import Heads


def save_model(model: nn.Module, tokenizer: Any, tasks: Sequence[str], folder: Path) -> None:
    """Write the whole model, or an adapter alone, with the tokenizer; of several heads a folder for each of the `tasks`. It is
    there whole or not at all.

    Raises:
        RunError: it is an adapter around several heads, for which PEFT has no format.
        UnwritableError: the disk is full or the folder cannot be written.
    """
    inner: Any = unlaunched(model)
    heads = unwrapped(model)
    if isinstance(heads, Heads) and heads is not inner:
        raise RunError("PEFT has no format for an adapter around several heads")
    parts = {name: heads.heads[str(n)] for n, name in enumerate(tasks)} if isinstance(heads, Heads) else {"": inner}
    with writing(folder, folder=True) as temporary:
        for name, part in parts.items():
            _save(part, temporary / name, adapter=heads is not inner)
            tokenizer.save_pretrained(temporary / name)


def _save(part: Any, folder: Path, adapter: bool) -> None:
    if adapter:
        # Its own state_dict would unpack a 4-bit base in place on a CPU (bitsandbytes 0.50).
        part.save_pretrained(folder, state_dict={name: weight.detach() for name, weight in part.named_parameters()})
    else:
        part.save_pretrained(folder)
