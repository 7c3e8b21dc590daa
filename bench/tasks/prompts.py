"""Examples in words: the plain prompt, or an instruction (as a chat where the model has a template for one)."""

from collections.abc import Sequence
from itertools import cycle
from string import Formatter
from typing import Literal

from transformers import PreTrainedTokenizerBase as Tokenizer

from bench.specs.task import TaskSpec
from bench.tasks.examples import Example

ROLES = ("user", "assistant")
"""Of a chat's turns, one after the other."""


def plain(spec: TaskSpec, example: Example) -> str:
    return spec.prompt.format(**example.fields)


def instruction(
    spec: TaskSpec, example: Example, split: Literal["train", "test"], index: int, without: str | None = None
) -> str:
    """The example under one of the instruction's paraphrases: the split's own set, taken in turn.

    The field `without` is left empty: an encoder reads it apart.
    """
    paraphrases = spec.paraphrases(split)
    fields = {name: "" if name == without else value for name, value in example.fields.items()}
    return paraphrases[index % len(paraphrases)].format(**fields).strip()


def chat(tokenizer: Tokenizer, text: str, before: Sequence[str] | None = None) -> str:
    """The text as a user's turn after those `before`, ready for the answer; without a chat template, as question and answer, or
    where it is one of a chat's turns, as lines of who says what."""
    turns = [*(before or []), text]
    if tokenizer.chat_template:
        messages = [{"role": role, "content": turn} for role, turn in zip(cycle(ROLES), turns, strict=False)]
        # Qwen3 and SmolLM3 would think first, as far as an answer's tokens reach; other templates do not read the name.
        return str(tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True, enable_thinking=False))
    return f"{text}\nAnswer:" if before is None else f"{lines(turns)}Assistant:"


def lines(turns: Sequence[str]) -> str:
    """A chat's turns, the user's first, as lines of who says what."""
    return "".join(f"{role.capitalize()}: {turn}\n" for role, turn in zip(cycle(ROLES), turns, strict=False))


def inputs(spec: TaskSpec, example: Example, without: str | None = None) -> list[str]:
    """The fields that the prompt names, in its order: what an encoder reads as one text or a pair.

    The field `without` is read apart, in windows; then the others are one text or none.
    """
    named = [name for _, name, _, _ in Formatter().parse(spec.prompt) if name and name != without]
    # A prompt may name a field twice; an encoder reads it once.
    texts = [example.fields[name] for name in dict.fromkeys(named)]
    if without or len(texts) < 2:
        return [" ".join(texts)] if texts else []
    return [texts[0], " ".join(texts[1:])]
