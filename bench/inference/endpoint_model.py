"""A model behind an OpenAI-compatible chat-completions API: conversations in, answers out, nothing trained.

Answers are kept on disk, so that an interrupted run goes on without paying twice. Nothing here needs torch.
"""

import hashlib
import json
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import TypeAdapter

from bench import folders
from bench.errors import RunError
from bench.inference.chat import ChatAnswer, Connection
from bench.inference.endpoint import Endpoint
from bench.records.record import Cost
from bench.specs.base import Capability, Family
from bench.specs.model import EndpointSpec
from bench.specs.wording import Style

if TYPE_CHECKING:
    import pandas as pd

KEPT = TypeAdapter(ChatAnswer)
CHARACTERS = 4
"""Of a token of a model behind an API, whose tokenizer is not known here: a rule of thumb for English."""

Turns = tuple[str, ...]


@dataclass(frozen=True)
class EndpointModel:
    """A model that is asked over the network, as `suites/models/NAME.yaml` describes it: it writes, and does no more."""

    name: str
    spec: EndpointSpec
    family: ClassVar[Family] = "decoder"
    can: ClassVar[frozenset[Capability]] = frozenset({"generate"})
    trust_remote_code: ClassVar[bool] = False
    at_hand: ClassVar[bool] = True
    reached: ClassVar[str] = "over an API"
    needs_device: ClassVar[Literal[False]] = False
    own_style: ClassVar[Style | None] = "instruction"
    """It is a chat, which is told what to do."""
    checkpoint: ClassVar[None] = None
    positions: ClassVar[None] = None
    """Not known here, and the server says where a prompt is too long."""
    reference_bits: ClassVar[int] = 32
    """Nothing of it is rounded here."""

    @cached_property
    def endpoint(self) -> Endpoint:
        return Endpoint(self.spec)

    @property
    def origin(self) -> str:
        return self.endpoint.url

    @property
    def determining(self) -> dict[str, object]:
        """What its answers hang on, as far as anybody outside can know: not how it is reached, nor what it costs."""
        base_url = self.endpoint.base_url  # as the endpoint writes it, without a slash at its end
        return {"base_url": base_url, **self.spec.model_dump(include={"model", "max_tokens", "temperature"})}

    @property
    def content_hash(self) -> str:
        return hashlib.sha256(json.dumps(self.determining, sort_keys=True).encode()).hexdigest()

    @property
    def conventions(self) -> dict[str, Any]:
        """None that are known here: the server writes the prompt."""
        return {}

    def inputs(self, precision: str, max_length: int) -> dict[str, Any]:
        """As `Model.inputs`; how this machine would compute is no part of what an API is asked."""
        return {"model": self.content_hash, "endpoint": self.determining}

    def lacks(self, capability: Capability) -> str | None:
        return None if capability in self.can else f"'{self.name}' is asked {self.reached}, which gives no {capability}"

    def unfit_for(self, task_type: str, asks: str, trains: bool) -> str | None:
        if trains:
            return "a model behind an API cannot be trained here"
        return f"a {task_type} task cannot be put to an endpoint" if asks == "read" else None

    def check_access(self) -> None:
        """Whether its key is there.

        Raises:
            UserError: the environment lacks it.
        """
        self.endpoint.key()

    def writes_at_most(self, longest: int) -> int:
        """It has a limit of its own, whatever is asked."""
        return self.spec.max_tokens

    @property
    def priced(self) -> bool:
        return bool(self.spec.input_price or self.spec.output_price)

    def price(self, read: float, written: float) -> float:
        """Of so many tokens, in the currency of the prices; a repeated prompt counts again, as it would in use."""
        return (read * self.spec.input_price + written * self.spec.output_price) / 1e6

    def cost(self, answers: "pd.DataFrame", seconds: float) -> Cost:
        """Of a row that asked for these answers: nothing is trained here, and what a server holds it does not say.

        Args:
            answers: a row each; `read` and `written` are their tokens, where the server counts them.
        """
        trained = ("train_examples", "train_tokens", "train_flops", "useful_flops", "train_seconds")
        unknown = ("peak_memory_bytes", "total_parameters")  # the server's own affair
        kept = ("trainable_parameters", "saved_bytes")
        counted = answers.reindex(columns=["read", "written"])
        known = self.priced and not counted.isna().any(axis=None)  # a server need not count its tokens
        money = self.price(*map(float, counted.sum())) if known else None
        return Cost(**dict.fromkeys((*trained, *kept), 0), **dict.fromkeys(unknown), eval_seconds=seconds, money=money)

    def cost_sentence(self, what: str, read: float, written: float) -> str:
        """What asking `what` comes to, said before it is asked."""
        price = f"at most about {self.price(read, written):.2f} at its prices" if self.priced else "its file has no prices"
        tokens = f"about {read:,.0f} tokens to read and at most {written:,.0f} to write"
        return f"asking {self.name} over its API: {what}, {tokens}; {price}"


def unheard(sentence: str) -> None:
    """What says its sentences to nobody."""


class Conversations:
    """Conversations with an endpoint, whose answers are kept.

    Args:
        say: hears a sentence on answers without a text.
    """

    def __init__(self, endpoint: Endpoint, say: Callable[[str], None] = unheard) -> None:
        self.endpoint, self.say = endpoint, say

    def answers(self, conversations: Sequence[Turns]) -> list[ChatAnswer]:
        """One answer per conversation, in their order; equal ones are asked once, kept answers not at all.

        Raises:
            UserError: the server refuses key, model or request; nothing is asked again.
            RunError: the server stays out of reach, busy or unintelligible, or says nothing to any of several; answers received
                by then are kept.
        """
        different = list(dict.fromkeys(conversations))
        known = {turns: kept for turns in different if (kept := self._kept(turns))}
        known |= self._ask([turns for turns in different if turns not in known])
        self._told_of_silence([known[turns] for turns in different])
        ordered = []
        for turns in conversations:
            ordered.append(known[turns])
            known[turns] = replace(known[turns], cached=True)
        return ordered

    def unanswered(self, conversations: Sequence[Turns]) -> list[Turns]:
        """The different ones that no answer is kept of: what has to be paid for."""
        return [turns for turns in dict.fromkeys(conversations) if self._kept(turns) is None]

    def _told_of_silence(self, given: Sequence[ChatAnswer]) -> None:
        """They would count as wrong answers without a word."""
        silent = [answer for answer in given if answer.silent]
        if not silent:
            return
        cut = sum(answer.truncated for answer in silent)
        why = f"; {cut} end at max_tokens, which a model that thinks first may need more of" if cut else ""
        sentence = f"model '{self.endpoint.model}': {len(silent)} of {len(given)} answers have no text{why}"
        if 1 < len(given) == len(silent):
            raise RunError(sentence)
        self.say(f"{sentence}; they count as empty answers")

    def _ask(self, conversations: Sequence[Turns]) -> dict[Turns, ChatAnswer]:
        if not conversations:
            return {}
        halt = threading.Event()
        with Connection(self.endpoint, halt) as connection, ThreadPoolExecutor(self.endpoint.spec.concurrency) as pool:
            futures = {pool.submit(self._asked, connection, turns): turns for turns in conversations}
            try:
                return {futures[done]: done.result() for done in as_completed(futures)}
            finally:  # after an error nothing new is asked; what is under way is paid for, and kept
                halt.set()
                pool.shutdown(cancel_futures=True)

    def _asked(self, connection: Connection, turns: Turns) -> ChatAnswer:
        answer = connection.answer(turns)
        if answer.silent:  # it may speak another time, and would else be silent for ever
            return answer
        folders.write_text(self._place(turns), KEPT.dump_json(answer).decode())
        return answer

    def _kept(self, turns: Turns) -> ChatAnswer | None:
        try:
            return replace(KEPT.validate_json(self._place(turns).read_bytes()), cached=True)
        except (OSError, ValueError):  # none, or a damaged one
            return None

    def _place(self, turns: Turns) -> Path:
        spec = self.endpoint.spec
        # A single turn stands as it is, as in the answers that earlier versions have kept and paid for.
        content = turns[0] if len(turns) == 1 else turns
        key = json.dumps([self.endpoint.base_url, spec.model, content, spec.temperature, spec.max_tokens])
        return folders.cache() / "endpoint" / f"{hashlib.sha256(key.encode()).hexdigest()}.json"
