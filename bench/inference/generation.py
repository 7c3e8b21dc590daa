"""Text that a decoder writes by itself: greedy, in batches of similar length, up to the end of its line or turn.

What contexts begin with alike is read once.
"""

import math
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

import torch
from torch import Tensor, nn
from transformers import GenerationConfig, LogitsProcessorList

from bench.inference.backend import Continuation, GeneratedText, Likelihood, Prompt
from bench.inference.likelihood import Pass, pass_likelihoods
from bench.inference.lockstep import Lockstep
from bench.inference.prefix_cache import Reading, bounded_batches, following_batch, readings
from bench.modeling.forward import caches, unlaunched, unwrapped
from bench.tokens.shared_prefixes import root

WRITTEN_AT_ONCE = 4
"""So many times the bound of a batch is written at once. Nearly all steps are of one token a row, and read all weights for it,
so that three long rows take as long as twelve; what grows is their keys and values."""
READ_AT_ONCE = WRITTEN_AT_ONCE // 2
"""The same of prompts that are read for their references too. What is read is copied for writing: together the two then hold as
much as what is written at once."""


@torch.no_grad()
def generate(
    model: nn.Module,
    tokenizer: Any,
    prompts: Sequence[Prompt],
    longest: int,
    tokens: int,
    one_line: bool,
    beams: int = 1,
) -> list[GeneratedText]:
    """What the model writes after each prompt: at most `longest` tokens; `tokens` bounds a padded batch
    that is read, and `WRITTEN_AT_ONCE` times as many one that is written.

    With `one_line` the text ends before its first line break. Of several `beams` the likeliest per token is taken. References
    go on from what is read for the texts.
    """
    stops = _stops(model, tokenizer)
    ends = (*newlines(tokenizer), *stops) if one_line else stops
    config = GenerationConfig(
        max_new_tokens=longest,
        do_sample=False,
        num_beams=beams,
        eos_token_id=list(ends),
        pad_token_id=tokenizer.pad_token_id,
        output_scores=beams > 1,
        return_dict_in_generate=True,
    )
    text_of = partial(_text_up_to_end, tokenizer=tokenizer, ends=ends, stops=stops, one_line=one_line)
    references = [prompt.reference for prompt in prompts if prompt.reference]
    count, passes = len(prompts), [Pass(context, words[:-1], [words]) for context, words in references]
    texts, judgements = [GeneratedText("", None)] * count, dict[Continuation, Likelihood]()
    sequences = [prompt.ids for prompt in prompts] + [each.ids for each in passes]
    # But for a prompt's last token: `generate` must be fed one, to have a place after which it writes.
    shared = [len(ids) - 1 for ids in (*(prompt.ids for prompt in prompts), *(each.context for each in passes))]
    at_once = READ_AT_ONCE * tokens if passes else tokens
    for reading, leaves in readings(model, root(sequences, shared, reads_once(model, beams)), tokenizer.pad_token_id, at_once):
        referring = [(row, passes[number - count], read) for row, number, read in leaves if number >= count]
        judgements |= pass_likelihoods(model, reading, referring, tokenizer.pad_token_id, tokens)
        rest = [(row, number, sequences[number][read:]) for row, number, read in leaves if number < count]
        for part in bounded_batches([beams * (len(ids) + longest) for *_, ids in rest], reading, WRITTEN_AT_ONCE * tokens):
            written, chances = _write_after(model, config, reading, [(rest[place][0], rest[place][2]) for place in part])
            for place, ids, chance in zip(part, written.tolist(), chances.tolist(), strict=True):
                texts[rest[place][1]] = text_of(ids, chance)
    return [
        replace(text, reference=judgements[prompt.reference] if prompt.reference else None)
        for text, prompt in zip(texts, prompts, strict=True)
    ]


def reads_once(model: nn.Module, beams: int) -> bool:
    """Whether texts and references can go on from one reading of a prompt."""
    # Processes that share out a model's weights write together, token by token: none may go and read a beginning meanwhile.
    return caches(model) and not isinstance(model, Lockstep) and beams == 1  # each beam would need it


def _stops(model: nn.Module, tokenizer: Any) -> tuple[int, ...]:
    """Tokens that end a text: the tokenizer's, and those of the checkpoint, such as the end of a turn in a chat."""
    inner: Any = unwrapped(model)
    named = inner.generation_config.eos_token_id
    return tuple({tokenizer.eos_token_id, *(named if isinstance(named, list) else [named])} - {None})


def _write_after(
    model: nn.Module, config: GenerationConfig, reading: Reading | None, rows: Sequence[tuple[int, Sequence[int]]]
) -> tuple[Tensor, Tensor]:
    """New ids and their log-probabilities, each (rows, new), after (row of the reading, ids).

    A step's chances are taken down as it is made: transformers would keep a vocabulary's scores for each token of each row,
    which is more than all keys and values.
    """
    chances: list[Tensor] = []

    def taken_down(_: Tensor, scores: Tensor) -> Tensor:
        chances.append(scores.log_softmax(-1).amax(-1))  # the likeliest token is the one that is written
        return scores

    greedy = int(config.num_beams) == 1
    more: dict[str, Any] = {"logits_processor": LogitsProcessorList([taken_down])} if greedy else {}
    inner: Any = model if isinstance(model, Lockstep) else unlaunched(model)
    batch, owners = following_batch(reading, rows, int(config.pad_token_id), next(model.parameters()).device)
    ids = batch.input_ids
    if reading is not None:
        ids, more["past_key_values"] = torch.cat([reading.ids[owners], ids], 1), reading.cache(owners)
    out = inner.generate(input_ids=ids, attention_mask=batch.attention_mask, generation_config=config, **more)
    new = out.sequences[:, ids.shape[1] :]
    return new, torch.stack(chances[: new.shape[1]], 1) if greedy else _of_beams(out, new)


def _text_up_to_end(
    ids: Sequence[int], chances: Sequence[float], tokenizer: Any, ends: Sequence[int], stops: Sequence[int], one_line: bool
) -> GeneratedText:
    """The text of new ids up to their end, with the product of its tokens' probabilities, given as logarithms."""
    end = next((place for place, token in enumerate(ids) if token in ends), len(ids))
    finished = end < len(ids)
    # A line break may stand behind words in one token, and belongs to the text; a stop does not, special or not.
    text = tokenizer.decode([token for token in ids[: end + 1] if token not in stops], skip_special_tokens=True)
    text = text.lstrip().split("\n")[0] if one_line else text
    return GeneratedText(text.strip(), math.exp(math.fsum(chances[: end + 1])), finished=finished)


def _of_beams(out: Any, new: Tensor) -> Tensor:
    """Log-probabilities (texts, tokens) of what was written; those of a beam stand where it was when it chose them."""
    # Behind a text's end stands -1, whose chances nobody reads.
    rows = out.beam_indices[:, : new.shape[1]].clamp(min=0)
    chances = (scores.float().log_softmax(-1) for scores in out.scores)  # of one step at a time
    return torch.stack([step[rows[:, i], new[:, i]] for i, step in zip(range(new.shape[1]), chances, strict=False)], 1)


@lru_cache(maxsize=8)
def newlines(tokenizer: Any) -> tuple[int, ...]:
    """Tokens that hold a line break, alone or behind words."""
    pieces = tokenizer.batch_decode([[i] for i in range(len(tokenizer))])
    return tuple(i for i, piece in enumerate(pieces) if "\n" in piece)
