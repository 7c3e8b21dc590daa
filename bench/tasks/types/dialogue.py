"""The next answer in a chat: turns of a user and an assistant, of which the last answer is asked for. A decoder's task.

A model with a chat template reads the turns before as turns of its own; another, and one that is asked plainly, reads them as
lines. Loss is on what the assistant says, in every turn or in the last one.
"""

from collections.abc import Mapping
from dataclasses import replace
from itertools import cycle, islice
from typing import Any, Literal

from pydantic import Field

from bench.tasks.examples import Example
from bench.tasks.prompts import ROLES, lines
from bench.tasks.types.base import listed
from bench.tasks.types.generation import Generation, GenerationOptions
from bench.tokens.augmentation import Dropper

USER, ASSISTANT = ROLES
SYSTEM = "system"
BY_SPEAKER = frozenset(ROLES)
"""Columns of a source that has a list for each speaker; another has all `turns` in one."""
SPEAKERS = {
    **dict.fromkeys(("user", "human", "prompter", "customer"), USER),
    **dict.fromkeys(("assistant", "gpt", "bot", "model", "agent"), ASSISTANT),
    SYSTEM: SYSTEM,
}
"""What sources call who speaks."""


class DialogueOptions(GenerationOptions):
    loss_on: Literal["every answer", "last answer"] = "every answer"
    turns: int | None = Field(default=None, ge=2)
    """At most so many turns are read, the last ones, the answer included."""


class Dialogue(Generation):
    Options = DialogueOptions
    version = 3
    """Since 2 the references' loss is that of every answer that is learned, where it was that of the last; since 3 it leaves
    out the ends of turns."""
    options: DialogueOptions
    gold = frozenset()
    made = frozenset({"history", "text"})
    used = BY_SPEAKER | {"turns", "roles", "opening"}

    def fault(self) -> str | None:
        if "text" not in self.named():
            return "a dialogue's templates name {text}, what the user said last; the prompt also {history}, the lines before it"
        for source in self.spec.sources():
            given = set(source.columns)
            if "turns" not in given and not given >= BY_SPEAKER:
                return f"a source's columns must give 'turns', or 'user' and 'assistant'; they give {', '.join(source.columns)}"
        return None

    def read(self, row: Mapping[str, Any]) -> tuple[dict[str, str], tuple[str, ...]] | None:
        """None for a dialogue in which the assistant says nothing after the user."""
        system, turns = _opening_and_turns(row)
        while turns and turns[-1][0] == USER:
            turns.pop()
        turns = turns[-self.options.turns :] if self.options.turns else turns
        turns = turns[next((place for place, (role, _) in enumerate(turns) if role == USER), len(turns)) :]
        if not turns:
            return None
        turns[0] = (USER, f"{system} {turns[0][1]}".strip())
        *before, (_, text), (_, answer) = turns
        history = lines([words for _, words in before])
        return {**self.fields(row), "history": history, "text": text}, (answer,)

    def before(self, example: Example) -> list[str]:
        # A turn is a line, as no turn has a line's end.
        return [line.partition(": ")[2] for line in example.fields["history"].splitlines()]

    def earlier(self, example: Example) -> list[Example]:
        """None where the last answer alone is learned."""
        if self.options.loss_on == "last answer":
            return []
        spoken = self.before(example)
        return [
            replace(
                example,
                fields={**example.fields, "history": lines(spoken[:place]), "text": spoken[place]},
                gold=(spoken[place + 1],),
            )
            for place in range(0, len(spoken), 2)  # the user's turns: the user begins, and speakers alternate
        ]

    def thinned(self, example: Example, kept: Dropper) -> Example:
        """What the user said last loses words; who said what before stays."""
        words = example.fields["text"].split()
        return replace(example, fields={**example.fields, "text": " ".join(words[i] for i in kept(words))})


def _opening_and_turns(row: Mapping[str, Any]) -> tuple[str, list[tuple[str, str]]]:
    """What stands before the first words, and who said what, in turn: one after another of the same speaker are one turn."""
    system, turns = " ".join(str(row.get("opening", "")).split()), list[tuple[str, str]]()
    for speaker, words in _turns_of_row(row):
        if (role := SPEAKERS.get(speaker.lower())) is None:
            raise ValueError(f"field 'roles' names '{speaker}'; a chat has {', '.join(SPEAKERS)}")
        if not (text := " ".join(words.split())):
            raise ValueError("a turn is empty")
        if role == SYSTEM:
            system = f"{system} {text}".strip()
        elif turns and turns[-1][0] == role:
            turns[-1] = (role, f"{turns[-1][1]} {text}")
        else:
            turns.append((role, text))
    return system, turns


def _turns_of_row(row: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Speaker and words of each turn, as the source gives them."""
    if "turns" in row:
        turns = listed(row["turns"])
    else:
        user, assistant = (listed(row[role]) for role in ROLES)
        if not 0 <= len(user) - len(assistant) <= 1:
            raise ValueError(f"{len(user)} turns of the field 'user' and {len(assistant)} of 'assistant' do not alternate")
        turns = [turn for pair in zip(user, assistant, strict=False) for turn in pair]
    roles = listed(row["roles"]) if {"turns", "roles"} <= row.keys() else list(islice(cycle(ROLES), len(turns)))
    if len(roles) != len(turns):
        raise ValueError(f"{len(turns)} turns, but {len(roles)} roles")
    return [(str(role), str(turn)) for role, turn in zip(roles, turns, strict=True)]
