"""Text that a decoder writes by itself: greedy, in batches of similar length, up to the end of its line or turn."""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import torch
from torch import nn
from transformers import GenerationConfig

from bench.inference.backend import GeneratedText
from bench.inference.lockstep import Lockstep
from bench.modeling.forward import unlaunched
from bench.tokens.batches import by_length
from bench.tokens.encoded import left_padded


@torch.no_grad()
def generate(
    model: nn.Module, tokenizer: Any, contexts: Sequence[Sequence[int]], longest: int, tokens: int, one_line: bool
) -> list[GeneratedText]:
    """What the model writes after each context: at most `longest` tokens; `tokens` bounds a padded batch.

    With `one_line` the text ends before its first line break.
    """
    ends = (*newlines(tokenizer), tokenizer.eos_token_id) if one_line else (tokenizer.eos_token_id,)
    config = GenerationConfig(
        max_new_tokens=longest,
        do_sample=False,
        eos_token_id=list(ends),
        pad_token_id=tokenizer.pad_token_id,
        output_scores=True,
        return_dict_in_generate=True,
    )
    inner: Any = model if isinstance(model, Lockstep) else unlaunched(model)
    device = next(model.parameters()).device
    texts = [GeneratedText("", None)] * len(contexts)
    for batch in by_length([len(context) + longest for context in contexts], tokens):
        read = left_padded([contexts[i] for i in batch], tokenizer.pad_token_id, 0, device)
        out = inner.generate(input_ids=read.input_ids, attention_mask=read.attention_mask, generation_config=config)
        new = out.sequences[:, read.input_ids.shape[1] :]
        logprobs = torch.stack(
            [scores.float().log_softmax(-1).gather(1, new[:, [i]])[:, 0] for i, scores in enumerate(out.scores)], 1
        )
        for i, row, chances in zip(batch, new.tolist(), logprobs.tolist(), strict=True):
            end = next((place for place, token in enumerate(row) if token in ends), len(row))
            text = tokenizer.decode(row[: end + 1] if one_line else row[:end], skip_special_tokens=True)
            text = text.lstrip().split("\n")[0] if one_line else text
            texts[i] = GeneratedText(text.strip(), math.exp(math.fsum(chances[: end + 1])))
    return texts


@lru_cache(maxsize=8)
def newlines(tokenizer: Any) -> tuple[int, ...]:
    """Tokens that hold a line break after something else has been said on the line, or end it."""
    pieces = tokenizer.batch_decode([[i] for i in range(len(tokenizer))])
    return tuple(i for i, piece in enumerate(pieces) if "\n" in piece)
