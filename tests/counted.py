"""The work that a run does, counted: what is exact on any machine, where seconds are not."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from unittest import mock

import torch
from torch.nn.modules import module as hooks
from torch.utils.flop_counter import FlopCounterMode
from transformers import PreTrainedModel

from bench.measuring import kept_base
from bench.modeling.models import Model

MEANINGS = {
    "FLOPs": "more is computed",
    "forward passes": "models are called more often",
    "tokens": "models read more",
    "padding": "more of what they read is padding: batches are less alike in length",
    "logits": "output heads answer at more places than is needed",
    "model loads": "a model is loaded again",
    "base answers": "the untouched base is asked again for what is known",
}
"""What is counted, and what it means that it grew."""
Work = dict[str, int]


@contextmanager
def counting() -> Iterator[Work]:
    """Counts until the block ends."""
    work, depth = dict.fromkeys(MEANINGS, 0), 0

    def enters(module: torch.nn.Module, *_: object) -> None:
        nonlocal depth
        depth += isinstance(module, PreTrainedModel)

    def leaves(module: torch.nn.Module, _: object, given: Mapping[str, torch.Tensor], out: object) -> None:
        nonlocal depth
        if not isinstance(module, PreTrainedModel):
            return
        depth -= 1
        if not depth:  # the outermost: a head's backbone is a model, too
            _take_down(work, given, getattr(out, "logits", None))

    def load(self: Model, *given: object, **named: object) -> object:
        work["model loads"] += 1
        return loaded(self, *given, **named)

    def kept(path: object, device: object, measure: object) -> object:
        def measured() -> object:
            work["base answers"] += 1
            return measure()

        return cached_frame(path, device, measured)

    loaded, cached_frame = Model.load, kept_base.cached_frame
    placed = [hooks.register_module_forward_pre_hook(enters), hooks.register_module_forward_hook(leaves, with_kwargs=True)]
    flops = FlopCounterMode(display=False)
    with mock.patch.object(Model, "load", load), mock.patch.object(kept_base, "cached_frame", kept), flops:
        yield work
    for hook in placed:
        hook.remove()
    work["FLOPs"] = flops.get_total_flops()


def _take_down(work: Work, given: Mapping[str, torch.Tensor], logits: torch.Tensor | None) -> None:
    read = given["input_ids"] if given.get("input_ids") is not None else given["inputs_embeds"]
    rows, length = read.shape[:2]
    work["forward passes"] += 1
    work["tokens"] += rows * length
    if (mask := given.get("attention_mask")) is not None and mask.ndim == 2:
        work["padding"] += int((mask[:, -length:] == 0).sum())
    if logits is not None:
        work["logits"] += logits.numel() // logits.shape[-1]


def grown(found: Mapping[str, Work], accepted: Mapping[str, Work]) -> list[str]:
    """A sentence on each number that is larger than what was accepted, and on what nobody has accepted."""
    told = [f"{name}: nothing was accepted of it" for name in found if name not in accepted]
    for name, work in found.items():
        for what, before in accepted.get(name, {}).items():
            if (now := work[what]) > before:
                by = f", by {now / before - 1:.1%}" if before else ""
                told.append(f"{name}: {what} grew from {before:,} to {now:,}{by}; {MEANINGS[what]}")
    return told
