"""A trained model in the ecosystem's own format, for whoever goes on with it: transformers or PEFT reads it back."""

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from torch import nn

from bench.errors import RunError
from bench.folders import partial
from bench.modeling.forward import unlaunched, unwrapped
from bench.modeling.heads import Heads


def save_model(model: nn.Module, tokenizer: Any, tasks: Sequence[str], folder: Path) -> None:
    """Write the whole model, or an adapter alone, with the tokenizer; of several heads a folder for each of the `tasks`. It is
    there whole or not at all.

    Raises:
        RunError: it is an adapter around several heads, for which PEFT has no format; or the disk has no room.
    """
    inner: Any = unlaunched(model)
    heads = unwrapped(model)
    if isinstance(heads, Heads) and heads is not inner:
        raise RunError("an adapter around several heads can't be kept: PEFT has no format for it")
    parts = {name: heads.heads[str(n)] for n, name in enumerate(tasks)} if isinstance(heads, Heads) else {"": inner}
    try:
        with partial(folder, folder=True) as temporary:
            for name, part in parts.items():
                _save(part, temporary / name, adapter=heads is not inner)
                tokenizer.save_pretrained(temporary / name)
            shutil.rmtree(folder, ignore_errors=True)
            temporary.chmod(0o755)  # mkdtemp makes 0700, and models are for colleagues to load too
            os.replace(temporary, folder)
    except Exception as error:  # safetensors has its own exception types
        raise RunError(f"the model can't be kept in {folder}: {error}") from error


def _save(part: Any, folder: Path, adapter: bool) -> None:
    if adapter:
        # Its own state_dict would unpack a 4-bit base in place on a CPU (bitsandbytes 0.50).
        part.save_pretrained(folder, state_dict={name: weight.detach() for name, weight in part.named_parameters()})
    else:
        part.save_pretrained(folder)
