"""The model on this machine, behind the backend's interface: in batches of like length, under autocast, shared by processes.

Where its weights are shared out too, the processes ask it in lockstep.
"""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace

import torch
from torch import Tensor, nn

from bench.devices.device import Device
from bench.inference.backend import A, B, Backend, Continuation, GeneratedText, Likelihood, Prompt
from bench.inference.embeddings import layer_means
from bench.inference.generation import generate, reads_once
from bench.inference.likelihood import likelihoods, text_losses
from bench.inference.lockstep import Lockstep
from bench.inference.masked import masked_losses, with_masked_lm_head
from bench.modeling.casting import cast_once
from bench.modeling.forward import exact_logits, head_logits, unlaunched
from bench.modeling.models import Model
from bench.tokens.batches import padded
from bench.tokens.encoded import Encoded

EVAL_TOKENS = 2048
"""Bound of a padded batch on one device; memory depends on it, results only in rounding."""


class LocalBackend(Backend):
    """A torch module and the model that it was loaded from.

    Args:
        device: shares the requests among its processes. Without one this process answers all of them in the module's own
            precision: self-tests compare batches with single items, and bf16 would tell them apart.
        cast: whether the forward pass is in the device's precision, as in training; else in the module's own.
    """

    module: nn.Module

    def __init__(
        self, module: nn.Module, model: Model, device: Device | None = None, tokens: int = EVAL_TOKENS, cast: bool = True
    ) -> None:
        self.model, self.device, self.tokens, self.cast = model, device, tokens, cast
        # Without the launcher's wrapper: DDP's would send buffers in each pass, of which processes make more or fewer.
        self.module = unlaunched(module)
        if device and device.sharded:
            self.module = Lockstep(self.module, device.accelerator)
        self.name, self.can = model.name, model.can

    @property
    def pad(self) -> int:
        return int(self.model.tokenizer.pad_token_id)

    def loglikelihoods(self, requests: Sequence[Continuation]) -> list[Likelihood]:
        # A context's continuations stay on one process, which reads the context once for all of them.
        contexts = {context: number for number, context in enumerate(dict.fromkeys(context for context, _ in requests))}
        mine = set(self._mine(len(contexts)))
        indices = [index for index, (context, _) in enumerate(requests) if contexts[context] in mine]
        return self._answered(requests, indices, lambda part: likelihoods(self.module, part, self.pad, self.tokens))

    def losses(self, texts: Sequence[Encoded]) -> list[float]:
        if self.model.family == "decoder":
            return self._shared(texts, lambda part: text_losses(self.module, part, self.pad, self.tokens))
        reader = with_masked_lm_head(self.module, self.model)
        return self._shared(texts, lambda part: masked_losses(reader, part, self.pad, self.tokens))

    def generate(self, prompts: Sequence[Prompt], longest: int, one_line: bool, beams: int = 1) -> list[GeneratedText]:
        def written(part: Sequence[Prompt]) -> list[GeneratedText]:
            return generate(self.module, self.model.tokenizer, part, longest, self.tokens, one_line, beams)

        if reads_once(self.module, beams):
            return self._shared(prompts, written)
        # Apart, as the beginnings of the references can be shared then, and processes in lockstep all write or all read.
        texts = self._shared([replace(prompt, reference=None) for prompt in prompts], written)
        of_references = iter(self.loglikelihoods([prompt.reference for prompt in prompts if prompt.reference]))
        return [
            replace(text, reference=next(of_references) if prompt.reference else None)
            for text, prompt in zip(texts, prompts, strict=True)
        ]

    def head_logits(self, windows: Sequence[Encoded]) -> list[Tensor]:
        return self._shared(windows, self._head_logits)

    def embeddings(self, texts: Sequence[Encoded], every_layer: bool = False) -> Tensor:
        def means(part: Sequence[Encoded]) -> list[Tensor]:
            return list(layer_means(self.module, part, self.pad, self.tokens, every_layer))

        return torch.stack(self._shared(texts, means))

    @torch.no_grad()
    def _head_logits(self, windows: Sequence[Encoded]) -> list[Tensor]:
        device = next(self.module.parameters()).device
        logits: list[Tensor] = [torch.empty(0)] * len(windows)
        for indices, batch in padded(windows, self.pad, self.tokens, device):
            for index, row in zip(indices, head_logits(self.module, batch), strict=True):
                logits[index] = row.cpu()
        return logits

    def _answered(self, requests: Sequence[A], mine: Sequence[int], answer: Callable[[Sequence[A]], list[B]]) -> list[B]:
        with ExitStack() as asking:
            if self.device and self.cast:
                asking.enter_context(self.device.autocast())
            asking.enter_context(exact_logits(self.module))
            if not (self.device and self.device.sharded):  # whose weights are whole only while their layer is at work
                asking.enter_context(cast_once(self.module))
            return super()._answered(requests, mine, answer)

    def _join(self, idle: Callable[[], object]) -> None:
        if isinstance(self.module, Lockstep):
            self.module.join(idle)
