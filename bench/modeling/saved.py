"""A trained model in the ecosystem's own format, for whoever goes on with it: transformers or PEFT reads it back."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from torch import Tensor, nn
from torch.distributed.fsdp import FSDPModule

from bench.errors import RunError
from bench.folders import writing
from bench.modeling.forward import unlaunched, unwrapped
from bench.modeling.heads import Heads
from bench.modeling.weights import full_tensor, outline, shared_out

VIRTUAL, READS_VIRTUAL = "prompt_embeddings", "get_prompt_embedding_to_save"
"""PEFT's name of the virtual tokens that it keeps, and of its method that computes them from weights."""


def save_model(model: nn.Module, tokenizer: Any, tasks: Sequence[str], folder: Path, writes: bool = True) -> None:
    """Write the whole model, or an adapter alone, with the tokenizer; of several heads a folder for each of the `tasks`. It is
    there whole or not at all.

    All processes call it together, and one of them `writes`. Weights that are shared out are put together one by one, and that
    process alone keeps them.

    Raises:
        RunError: it is an adapter around several heads, for which PEFT has no format.
        UnwritableError: the disk is full or the folder cannot be written.
    """
    inner: Any = unlaunched(model)
    heads = unwrapped(model)
    if isinstance(heads, Heads) and heads is not inner:
        raise RunError("PEFT has no format for an adapter around several heads")
    if not writes and not shared_out(inner):
        return
    kept, virtual = _weights_to_save(inner, adapter=heads is not inner)
    states = _put_together(kept, writes)
    if not writes:
        return
    parts = {name: f"heads.{n}." for n, name in enumerate(tasks)} if isinstance(heads, Heads) else {"": ""}
    with writing(folder, folder=True) as temporary:
        for name, prefix in parts.items():
            own = {key.removeprefix(prefix): weight for key, weight in states.items() if key.startswith(prefix)}
            with _by_one_process(inner.get_submodule(prefix.rstrip(".")), virtual) as part:
                part.save_pretrained(temporary / name, state_dict=own)
            tokenizer.save_pretrained(temporary / name)


def adapter_weights(model: nn.Module) -> dict[str, Tensor]:
    """What PEFT keeps of an adapter, by the names that it gives: the model's own weights, shared out or not, and what it
    computes from them, which all processes must do together where weights are shared out."""
    from peft import get_peft_model_state_dict  # slow to import, bitsandbytes behind it, and most rows have no adapter

    # Not model.state_dict(), which PEFT would ask: bitsandbytes 0.50 unpacks a 4-bit base on the CPU for it in place, and
    # every later pass gives other logits. PEFT chooses among outlines, so that no more is read than is kept.
    named = dict(model.named_parameters())
    outlines = {name: outline(parameter) for name, parameter in named.items()}
    chosen = {id(tensor): named[name] for name, tensor in outlines.items()}
    kept = get_peft_model_state_dict(model, state_dict=outlines)
    return {name: chosen.get(id(tensor), tensor) for name, tensor in kept.items()}


def _weights_to_save(model: nn.Module, adapter: bool) -> tuple[dict[str, Tensor], Tensor | None]:
    """The weights of which the format is made, by the model's own names, and an adapter's virtual tokens where it has such."""
    if not adapter:
        return model.state_dict(keep_vars=True), None
    chosen = adapter_weights(model)
    ids = {id(weight) for weight in chosen.values()}
    return {name: weight for name, weight in model.named_parameters() if id(weight) in ids}, chosen.get(VIRTUAL)


def _put_together(weights: dict[str, Tensor], keeps: bool) -> dict[str, Tensor]:
    """All of each weight, by all processes. What has two names, as a tied head or several heads' backbone, is one tensor."""
    whole: dict[int, Tensor] = {}
    for weight in {id(weight): weight for weight in weights.values()}.values():
        values = full_tensor(weight)  # let go of at once where it is not kept
        if keeps:
            whole[id(weight)] = values.cpu()
    return {name: whole[id(weight)] for name, weight in weights.items()} if keeps else {}


@contextmanager
def _by_one_process(part: Any, virtual: Tensor | None) -> Iterator[Any]:
    """The model as one process can save it without the others, who have done their part: its virtual tokens are computed
    already, and its class is the one that FSDP2 has made another of, since transformers copies the file of a model's own code.
    """
    own = vars(part).get(READS_VIRTUAL)
    kind = type(part)
    if virtual is not None:
        setattr(part, READS_VIRTUAL, lambda adapter_name: virtual)
    if isinstance(part, FSDPModule):
        part.__class__ = kind.__mro__[kind.__mro__.index(FSDPModule) + 1]
    try:
        yield part
    finally:
        part.__class__ = kind
        if virtual is not None:
            delattr(part, READS_VIRTUAL)
            vars(part).update({READS_VIRTUAL: own} if own else {})
