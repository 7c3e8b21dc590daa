"""A model read one text at a time by its plain forward pass: what self-tests hold the batched ways of local.py to.

It shares no code with those: nothing is padded, cut into windows, cached or branched, so that a fault there cannot hide here.
"""

import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from functools import cached_property
from math import exp
from typing import Any

import torch
from torch import Tensor, nn
from transformers import AutoModelForMaskedLM

from bench.devices.device import Device
from bench.modeling.forward import exact_logits, scores_choices
from bench.modeling.heads import Heads
from bench.modeling.models import Model

Tokenised = dict[str, list[int]]
"""`input_ids`, and `token_type_ids` where the model has such."""
NextIds = Callable[[Sequence[int]], Sequence[int]]
"""Ids that are written -> ids that may come next."""


class PlainReader:
    """A torch module and the model that it was loaded from; whatever adapters or virtual tokens it has take part."""

    def __init__(self, module: nn.Module, model: Model, device: Device | None = None) -> None:
        self.module, self.model, self.device = module, model, device
        self.tokenizer: Any = model.tokenizer
        self._masked: Any = None

    @property
    def place(self) -> torch.device:
        return next(self.module.parameters()).device

    @cached_property
    def stops(self) -> set[int]:
        """Tokens that end a text: the tokenizer's, and those that the checkpoint's files name."""
        files = (self.model.folder / name for name in ("generation_config.json", "config.json"))
        config = json.loads(next(file for file in files if file.is_file()).read_text(encoding="utf-8"))
        # Where text is one of several things that a model reads, its config has a part for it.
        named = config.get("eos_token_id", config.get("text_config", {}).get("eos_token_id"))
        return {self.tokenizer.eos_token_id, *(named if isinstance(named, list) else [named])} - {None}

    @torch.no_grad()
    def logprobs(self, ids: Sequence[int], begin: int) -> Tensor:
        """(len(ids) - begin, vocabulary): of the token after each from place `begin` on, on the CPU in fp64."""
        with self._precision():
            logits = self.module(input_ids=torch.tensor([list(ids)], device=self.place)).logits[0]
        own = logits[len(logits) - len(ids) + begin :]  # virtual tokens stand before the others
        return own.cpu().double().log_softmax(-1)  # on a GPU they would count as the run's memory

    def nats(self, context: Sequence[int], continuation: Sequence[int]) -> float:
        """Log-likelihood of the continuation."""
        return float(self._after(context, continuation).gather(1, torch.tensor([[i] for i in continuation])).sum())

    def likeliest(self, context: Sequence[int], continuation: Sequence[int]) -> list[int]:
        """The most likely token at each place of the continuation."""
        return [int(row.argmax()) for row in self._after(context, continuation)]

    def written(
        self, context: Sequence[int], longest: int, ends: Callable[[int], bool], guess: NextIds = lambda ids: ()
    ) -> tuple[list[int], float, list[float]]:
        """Greedily, up to the first token that is an end: ids, the product of their probabilities, and by how many nats each
        was chosen before the next likely one.

        Args:
            guess: by what is written, what may come next. It is read in the same pass, and as far as the model does write it,
                its places say how it goes on (Leviathan et al. 2023). A right one saves a pass a token. A wrong one changes
                nothing, since no place of a decoder sees what stands behind it.
        """
        ids: list[int] = []
        nats, margins = 0.0, []
        while len(ids) < longest and not (ids and ends(ids[-1])):
            ahead = list(guess(ids))[: longest - len(ids) - 1]  # nothing is written after the last token
            for place, row in enumerate(self.logprobs([*context, *ids, *ahead], len(context) + len(ids) - 1)):
                best = row.topk(2)
                ids.append(int(best.indices[0]))
                nats += float(best.values[0])
                margins.append(float(best.values[0] - best.values[1]))
                if ends(ids[-1]) or ids[-1:] != ahead[place : place + 1]:
                    break
        return ids, exp(nats), margins

    def passage(self, text: str, size: int) -> tuple[float, int, int]:
        """Nats of all tokens of a text but the first, how many, and the bytes that they spell. The model reads `size` tokens at
        a time: a longer text is read in windows that each end half a window after the last, and a token is counted in the first
        one that holds it.
        """
        parts = self.tokenizer(text, return_offsets_mapping=True)
        ids, nats, begun = list(parts["input_ids"]), 0.0, 1
        end = min(size, len(ids))
        while begun < len(ids):
            start = max(0, end - size)
            nats -= self.nats(ids[start:begun], ids[begun:end])
            begun, end = end, min(end + size // 2, len(ids))
        (_, whole), (following, _) = parts["offset_mapping"][:2]
        first = len(text[:whole].encode())
        if following < whole:  # two tokens share a letter: the first is one byte by its name, or spells each byte by one sign
            token = self.tokenizer.convert_ids_to_tokens(ids[0])
            first = 1 if token[:3] == "<0x" else len(token)
        return nats, len(ids) - 1, len(text.encode()) - first

    @torch.no_grad()
    def states(self, text: Tokenised) -> list[Tensor]:
        """Hidden states of the text's own tokens after the embeddings and after each layer, each (length, hidden) in fp32."""
        length = len(text["input_ids"])
        if scores_choices(self.module):
            text = _as_choice(text)
        with self._precision():
            out = self.module(**self._tensors(text), **self._head(), output_hidden_states=True)
        return [layer[0, layer.shape[1] - length :].float().cpu() for layer in out.hidden_states]

    def embedding(self, text: Tokenised) -> Tensor:
        """The last layer's mean over the text's own tokens."""
        return self.states(text)[-1].mean(0)

    @torch.no_grad()
    def head(self, text: Tokenised, head: int) -> dict[str, Tensor]:
        """What a task's head says of the text, by name, each (..., classes or length) without the text's axis, in fp32."""
        with self._precision():
            out = self.module(**self._tensors(text), **self._head(head))
        return {name: out[name][0].float().cpu() for name in ("logits", "start_logits", "end_logits") if name in out}

    def choice(self, text: Tokenised, head: int) -> float:
        """What a multiple-choice head says of one choice."""
        return float(self.head(_as_choice(text), head)["logits"][0])

    @torch.no_grad()
    def masked_logprobs(self, text: Tokenised) -> Tensor:
        """(length, vocabulary) by the base's own masked-LM head over the last hidden states."""
        last = self.states(text)[-1]
        if self._masked is None:
            self._masked = self.model.load(AutoModelForMaskedLM).eval()
        backbone = getattr(self._masked, self._masked.base_model_prefix)

        def replaced(module: nn.Module, inputs: Any, out: Any) -> Any:
            out["last_hidden_state"] = last[None]
            return out

        handle = backbone.register_forward_hook(replaced)
        try:
            tensors = {name: torch.tensor([values]) for name, values in text.items()}
            return self._masked(**tensors).logits[0].double().log_softmax(-1)
        finally:
            handle.remove()

    def tokens(self, texts: Sequence[str], limit: int) -> Tokenised:
        """A text or a pair of texts as an encoder reads it: what is too long loses its end, of a pair the longer one's."""
        parts = dict(self.tokenizer(*texts))
        if len(texts) > 1 and len(parts["input_ids"]) > limit:
            parts = dict(self.tokenizer(*texts, truncation="longest_first", max_length=limit))
        inputs = {name: list(parts[name]) for name in ("input_ids", "token_type_ids") if name in parts}
        cut = {name: ids if len(ids) <= limit else [*ids[: limit - 1], ids[-1]] for name, ids in inputs.items()}
        return cut if self.model.family == "encoder" else {name: ids[:limit] for name, ids in inputs.items()}

    def _after(self, context: Sequence[int], continuation: Sequence[int]) -> Tensor:
        return self.logprobs([*context, *continuation], len(context) - 1)[:-1]

    def _tensors(self, text: Tokenised) -> dict[str, Tensor]:
        return {name: torch.tensor([values], device=self.place) for name, values in text.items()}

    def _head(self, head: int = 0) -> dict[str, int]:
        """A module of several heads is told which."""
        inner: Any = getattr(self.module, "base_model", self.module)
        return {"head": head} if isinstance(getattr(inner, "model", inner), Heads) else {}

    @contextmanager
    def _precision(self) -> Iterator[None]:
        """That of the run."""
        with self.device.autocast() if self.device else nullcontext(), exact_logits(self.module):
            yield


def _as_choice(text: Tokenised) -> Any:
    """The text as the only choice of an example: transformers has an axis of choices behind the batch's."""
    return {name: [values] for name, values in text.items()}


def without_middle(ids: Sequence[int], limit: int) -> list[int]:
    """Of what is too long, the first half and the last; the first has the odd token."""
    return list(ids) if len(ids) <= limit else [*ids[: (limit + 1) // 2], *ids[-(limit // 2) :]]
