"""Examples in words: the plain prompt, solved examples before it, or an instruction (as a chat where the model has one)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from transformers import PreTrainedTokenizerBase as Tokenizer

from bench.data import Example
from bench.specs import TaskSpec

Style = Literal["plain", "instruction"]


@dataclass(frozen=True)
class Wording:
    """How a strategy puts a task into words."""

    style: Style = "plain"
    shots: int = 0
    """Solved examples before the question."""


def plain(spec: TaskSpec, example: Example) -> str:
    return spec.prompt.format(**example.fields)


def solved(spec: TaskSpec, examples: Sequence[Example]) -> str:
    """Examples with their answers, to stand before a question (Brown et al. 2020)."""
    return "".join(f"{plain(spec, example)} {spec.answers[example.label]}\n\n" for example in examples)


def instruction(spec: TaskSpec, example: Example, split: Literal["train", "test"], index: int) -> str:
    """The example under one of the instruction's paraphrases: the split's own set, taken in turn."""
    paraphrases = getattr(spec.instructions, split)
    return str(paraphrases[index % len(paraphrases)]).format(**example.fields)


def chat(tokenizer: Tokenizer, text: str) -> str:
    """The text as a user's turn, ready for the answer; without a chat template, as question and answer."""
    if not tokenizer.chat_template:
        return f"{text}\nAnswer:"
    turn = [{"role": "user", "content": text}]
    return str(tokenizer.apply_chat_template(turn, tokenize=False, add_generation_prompt=True))


def inputs(spec: TaskSpec, example: Example) -> list[str]:
    """The example's fields in the order in which the prompt names them: what an encoder reads as one text or a pair."""
    used = [name for name in example.fields if f"{{{name}}}" in spec.prompt]
    first, *rest = (example.fields[name] for name in sorted(used, key=lambda name: spec.prompt.index(f"{{{name}}}")))
    return [first, " ".join(rest)] if rest else [first]
