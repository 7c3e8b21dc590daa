"""Below the lowest weight that trains, a model is a fixed function: what that makes of a text is computed once, and replayed.

Hooks on the model's backbone do it, so that whoever asks the model, in training or afterwards, need not know. A text's states
are computed in a pass whose shape hangs on the text's length alone: so they hang on the text, and neither on its batch nor on
what ran before. On a GPU a pass holds as many texts as are missing, and they differ by its rounding. AutoFreeze
(Liu et al. 2021) keeps activations in the same way.
"""

import inspect
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import torch
from torch import Tensor, nn

from bench.hashing import digest
from bench.modeling.forward import backbone, prompt_learning
from bench.modeling.positions import positions
from bench.modeling.replay.activations import States, kept_states
from bench.modeling.replay.whole_texts import Text, WholeTexts, text_hash
from bench.modeling.spared_work import SPARED
from bench.modeling.structure import fixed, layers, lowest_trained
from bench.modeling.weights import checksum, shared_out
from bench.specs.base import Family
from bench.tokens.encoded import Encoded, collate
from bench.tokens.token_counts import TokenCounts

TILE = 12
"""A CPU's products go through a matrix in tiles of rows: 6 and 4 with AVX2, 16 with AVX-512. Rows that fill no tile are summed
in another order, and what a text becomes would hang on its place. So the rows of each text fill whole tiles."""
FEWEST = 96
"""Tokens of a pass per thread of a CPU. Fewer than 16 rows are multiplied by other code, and small passes cost more: at 24
tokens a first epoch of MiniLM's took 60 % longer than without keeping, at 96 tokens 30 %.

The code was MKL's for SSE4.2, AVX2 and AVX-512, on one and two threads; tests ask the first two on any Intel CPU."""
TRIED = (3, 8, 13)
"""Tokens of the texts with which replaying is tried."""
AGREEMENT = 1e-3
"""By so much of the largest number may one differ that was computed in another batch: TF32 has as many digits."""


def replay_fixed_blocks(model: nn.Module, family: Family, base: str) -> bool:
    """Have an adapted model go through what never changes once per text, from here on. False where that is not sure to give
    what the model gives else: then it is left as it is.

    Args:
        base: content hash of the weights that it was loaded from.
    """
    # Parts of weights are put together for a whole pass alone; and a text behind virtual tokens is another text.
    if shared_out(model) or prompt_learning(model):
        return False
    blocks, reader = list(layers(model)), backbone(model)
    below = blocks[: lowest_trained(model, blocks)]
    # In 8 bit, what a text becomes hangs on the texts beside it.
    packed = any(not weight.is_floating_point() for block in below for weight in block.parameters())
    if not below or packed or any("forward" in vars(block) for block in below):
        return False
    with suppress(Exception):  # whatever a model's own code makes of it
        fixed_blocks = FixedBlocks(reader, below, fixed(model), family, base)
        if fixed_blocks.holds(reader):
            reader.register_forward_pre_hook(fixed_blocks.before, with_kwargs=True)
            reader.register_forward_hook(fixed_blocks.after, always_call=True)
            return True
    return False


def replays(model: nn.Module) -> bool:
    """Whether the model goes through its lower blocks once per text."""
    hooks = backbone(model)._forward_pre_hooks.values()
    return any(isinstance(getattr(hook, "__self__", None), FixedBlocks) for hook in hooks)


class _AtCutError(Exception):
    """Ends a pass where the blocks end that never change, with what the last of them gives."""


class FixedBlocks:
    """The blocks of a backbone that never change, and where what they make of texts is kept. It does not hold the backbone, so
    that the two are freed at once.

    Args:
        below: the blocks, bottom first.
        still: all modules that are known to stay as they are, such as embeddings.
    """

    def __init__(
        self, reader: nn.Module, below: Sequence[nn.Module], still: Sequence[nn.Module], family: Family, base: str
    ) -> None:
        inside = (module for block in below for module in block.modules())
        self._below, self._family, self._still = list(below), family, list(dict.fromkeys((*still, *inside)))
        self._weights = [weight for module in self._still for weight in module.parameters(recurse=False)]
        self._signature = inspect.signature(reader.forward)
        self._positions = positions(reader) or math.inf
        name = f"{type(reader).__module__}.{type(reader).__qualname__}"
        attention = str(getattr(getattr(reader, "config", None), "_attn_implementation", ""))
        self._kind = {"base": base, "depth": len(below), "class": name, "attention": attention}
        self._sums, self._summed_at = "", list[tuple[int, int]]()
        self._in_tuple = False
        self._paid = set[tuple[str, bytes]]()

    def before(self, reader: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        """Before a pass: where it reads whole texts, their states will stand for what the lower blocks give."""
        if any(module.training for module in self._still):  # there may be dropout
            return
        batch = self._batch(args, kwargs)
        if batch is not None:
            self._replay(batch.padded(self._states(reader, batch)))

    def after(self, *_: Any) -> None:
        """After a pass, whatever came of it."""
        for block in self._below:
            vars(block).pop("forward", None)

    def holds(self, reader: nn.Module) -> bool:
        """Whether made-up texts of several lengths come out as they do else, and nothing below the cut wants a gradient."""
        inputs, outputs = self._made_up(reader), list[Any]()
        batch = self._batch((), inputs)
        handle = self._below[-1].register_forward_hook(lambda module, args, out: outputs.append(out))
        with _without_dropout(reader):
            try:
                with torch.enable_grad():
                    plain = reader(**inputs)[0]
            finally:
                handle.remove()  # or it would collect what every later pass gives
            self._in_tuple = isinstance(outputs[0], tuple)
            states = outputs[0][0] if self._in_tuple else outputs[0]
            if batch is None or states.requires_grad or (self._in_tuple and len(outputs[0]) > 1):
                return False
            with torch.no_grad():
                alone = (self._computed(reader, batch, [text], _pass_width(text), 1)[0] for text in batch.texts)
                self._replay(batch.padded(list(alone)))
                try:
                    replayed = reader(**inputs)[0]
                finally:
                    self.after()
        real = inputs["attention_mask"].bool()
        return bool((plain - replayed)[real].abs().max() <= AGREEMENT * plain[real].abs().max())

    def _made_up(self, reader: nn.Module) -> dict[str, Any]:
        config: Any = reader.config
        ids = [tuple((config.vocab_size // 3 + place) % config.vocab_size for place in range(n)) for n in TRIED]
        decodes = self._family == "decoder"
        texts = [Encoded(each, answer=1) if decodes else Encoded(each, labels=(0,)) for each in ids]
        batch = collate(texts, 0, next(reader.parameters()).device)
        inputs: dict[str, Any] = {"input_ids": batch.input_ids, "attention_mask": batch.attention_mask}
        if decodes:
            inputs |= {"use_cache": False} | ({"position_ids": batch.position_ids} if self._numbers else {})
        return inputs

    @property
    def _numbers(self) -> bool:
        return "position_ids" in self._signature.parameters

    def _batch(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> WholeTexts | None:
        named = dict(self._signature.bind(*args, **kwargs).arguments)
        rest = next((p.name for p in self._signature.parameters.values() if p.kind is p.VAR_KEYWORD), "")
        batch = WholeTexts.of(named | named.pop(rest, {}), self._family, self._numbers)
        fits = batch is not None and all(_pass_width(text) <= self._positions for text in batch.texts)
        return batch if fits else None

    def _replay(self, states: Tensor) -> None:
        out = (states,) if self._in_tuple else states
        for block in self._below:
            block.forward = lambda *args, **kwargs: out

    def _states(self, reader: nn.Module, batch: WholeTexts) -> list[Tensor]:
        """(length, hidden) of each text on the CPU: kept ones, and those that are computed and kept now."""
        store, key = kept_states(), self._key(batch.device)
        names = [text_hash(text) for text in batch.texts]
        tensors, missing = dict[bytes, Tensor](), dict[int, dict[bytes, Text]]()
        for name, text in zip(names, batch.texts, strict=True):
            states = store.read(key, name)
            if states is None:
                missing.setdefault(_pass_width(text), {})[name] = text
                continue
            tensors[name] = states.values
            if (key, name) not in self._paid:  # another run has computed it
                SPARED.seconds += states.seconds
                self._paid.add((key, name))
        SPARED.work += TokenCounts(tokens=len(names) * batch.width, pairs=len(names) * batch.width**2)
        for width, group in missing.items():
            rows, waiting = _pass_rows(width, len(group), batch.device), list(group.items())
            for some in (waiting[start : start + rows] for start in range(0, len(waiting), rows)):
                started = time.perf_counter()
                values = self._computed(reader, batch, [text for _, text in some], width, rows)
                each = (time.perf_counter() - started) / len(some)
                SPARED.work += TokenCounts(tokens=-rows * width, pairs=-rows * width**2)
                for (name, _), value in zip(some, values, strict=True):
                    tensors[name] = value
                    store.write(key, name, States(value, each))
                    self._paid.add((key, name))
        return [tensors[name] for name in names]

    @torch.no_grad()
    def _computed(self, reader: nn.Module, batch: WholeTexts, texts: Sequence[Text], width: int, rows: int) -> list[Tensor]:
        """Of texts in a pass of that shape, in which the first fills the rows that are left; the pass ends at the cut."""
        last = self._below[-1]
        whole = last.forward

        def to_the_cut(*args: Any, **kwargs: Any) -> None:
            raise _AtCutError(whole(*args, **kwargs))

        last.forward = to_the_cut
        try:
            reader.forward(**batch.alone([*texts, *[texts[0]] * (rows - len(texts))], width))
        except _AtCutError as reached:
            (out,) = reached.args
            states = (out[0] if self._in_tuple else out).cpu()
            return [row[: len(ids)] for row, (ids, _) in zip(states, texts, strict=False)]
        finally:
            self.after()
        raise RuntimeError(f"{type(reader).__name__} does not go through its last fixed block")

    def _key(self, device: torch.device) -> str:
        """All that states hang on beside their text."""
        # Where a weight lies and how often it was written to: both are looked up without reading it.
        now = [(weight.data_ptr(), weight._version) for weight in self._weights]
        if now != self._summed_at:
            self._sums, self._summed_at = digest([checksum(weight) for weight in self._weights]), now
        cast = str(torch.get_autocast_dtype(device.type)) if torch.is_autocast_enabled(device.type) else ""
        return digest({**self._kind, "weights": self._sums, "cast": cast, "device": device.type})


def _pass_width(text: Text) -> int:
    """Columns of the pass in which a text is computed. At least one is padding: without any, attention is other code."""
    return (len(text[0]) // TILE + 1) * TILE


def _pass_rows(width: int, texts: int, device: torch.device) -> int:
    """Rows of the passes in which some texts of one width are computed: on a CPU always as many."""
    return math.ceil(FEWEST * torch.get_num_threads() / width) if device.type == "cpu" else texts


@contextmanager
def _without_dropout(reader: nn.Module) -> Iterator[None]:
    """Dropout off, and afterwards as it was."""
    modules = [module for module in reader.modules() if module.training]
    for module in modules:
        module.training = False
    try:
        yield
    finally:
        for module in modules:
            module.training = True
