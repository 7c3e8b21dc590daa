"""A model behind an OpenAI-compatible chat-completions API: prompts in, answers out, nothing trained.

Answers are kept on disk, so that an interrupted run goes on without paying twice. The key comes from the environment.
"""

import hashlib
import json
import os
import re
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from pathlib import Path

import httpx2
from pydantic import SecretStr, TypeAdapter

from bench import folders
from bench.errors import UserError
from bench.inference.chat import Answer as Answer
from bench.inference.chat import Connection, local

KEPT = TypeAdapter(Answer)


@dataclass(frozen=True)
class Cost:
    """Money, in the currency of the prices."""

    total: float
    """Every prompt asked once more."""
    paid: float
    """What was asked now."""
    unknown: int
    """Answers whose tokens the server did not count: they are in the sums as 0."""


def cost(answers: Sequence[Answer], input_price: float, output_price: float) -> Cost:
    """What answers cost at prices per million tokens."""
    price = {True: 0.0, False: 0.0}
    for answer in answers:
        price[answer.cached] += (answer.input_tokens * input_price + answer.output_tokens * output_price) / 1e6
    return Cost(sum(price.values()), price[False], sum(not answer.usage_known for answer in answers))


def _silent(done: int, total: int) -> None:
    pass


@dataclass(frozen=True)
class Endpoint:
    """A model at `base_url` (such as https://host/v1), how it is asked, and how patiently.

    Raises:
        UserError: base_url is no plain http(s) address, a key would travel unencrypted, or a number is too small.
    """

    base_url: str
    model: str
    key_variable: str | None = None
    """Name of the environment variable that holds the key; None where the server wants none."""
    max_tokens: int = 64
    temperature: float | None = 0.0
    """None where the model refuses to be given one, as reasoning models do."""
    concurrency: int = 8
    timeout: float = 120.0
    """Seconds without a word from the server."""
    retries: int = 5

    def __post_init__(self) -> None:
        object.__setattr__(self, "base_url", self.base_url.rstrip("/"))
        address = _address(self.base_url)
        # The value is not shown: it may be the key itself, put there by mistake.
        if self.key_variable is not None and not re.fullmatch(r"[A-Z_][A-Z0-9_]{0,63}", self.key_variable):
            raise UserError(
                "key_env is no name of an environment variable in capitals, digits and underscores; "
                "put the key into a variable such as OPENAI_API_KEY and write that name"
            )
        if self.key_variable and address.scheme == "http" and not local(address.host):
            raise UserError(f"base_url '{self.base_url}' would carry the key unencrypted; use https, or leave key_env out")
        for name, least in {"concurrency": 1, "max_tokens": 1, "retries": 0}.items():
            if getattr(self, name) < least:
                raise UserError(f"endpoint {self.base_url}: {name} is {getattr(self, name)}; it must be at least {least}")

    @property
    def url(self) -> str:
        """Where prompts are sent."""
        return f"{self.base_url}/chat/completions"

    def key(self) -> SecretStr | None:
        """The key, from the environment.

        Raises:
            UserError: the variable is empty, or holds what no header can carry.
        """
        if self.key_variable is None:
            return None
        key = os.environ.get(self.key_variable, "").strip()
        if not key:
            raise UserError(f"environment variable {self.key_variable} holds no key for {self.base_url}; export it")
        if not re.fullmatch(r"[!-~]+", key):
            raise UserError(f"the key in {self.key_variable} holds characters that no header can carry; copy it again")
        return SecretStr(key)

    def answers(self, prompts: Sequence[str], progress: Callable[[int, int], None] = _silent) -> list[Answer]:
        """One answer per prompt, in their order; equal prompts are asked once, kept answers not at all.

        `progress` hears how many of how many different prompts have their answers.

        Raises:
            UserError: the server refuses key, model or request; nothing is asked again.
            RunError: the server stays out of reach, busy or unintelligible; answers received by then are kept.
        """
        different = list(dict.fromkeys(prompts))
        found = {prompt: kept for prompt in different if (kept := self._kept(prompt))}
        progress(len(found), len(different))

        def heard(prompt: str, answer: Answer) -> None:
            found[prompt] = answer
            progress(len(found), len(different))

        self._ask([prompt for prompt in different if prompt not in found], heard)
        ordered = []
        for prompt in prompts:
            ordered.append(found[prompt])
            found[prompt] = replace(found[prompt], cached=True)
        return ordered

    def _ask(self, prompts: Sequence[str], heard: Callable[[str, Answer], None]) -> None:
        if not prompts:
            return
        halt = threading.Event()
        with Connection(self, halt) as connection, ThreadPoolExecutor(self.concurrency) as pool:
            asked = {pool.submit(self._asked, connection, prompt): prompt for prompt in prompts}
            try:
                for done in as_completed(asked):
                    heard(asked[done], done.result())
            finally:  # after an error nothing new is asked; what is under way is paid for, and kept
                halt.set()
                pool.shutdown(cancel_futures=True)

    def _asked(self, connection: Connection, prompt: str) -> Answer:
        answer = connection.answer(prompt)
        folders.write_text(self._place(prompt), KEPT.dump_json(answer).decode())
        return answer

    def _kept(self, prompt: str) -> Answer | None:
        try:
            return replace(KEPT.validate_json(self._place(prompt).read_bytes()), cached=True)
        except (OSError, ValueError):  # none, or a damaged one
            return None

    def _place(self, prompt: str) -> Path:
        asked = json.dumps([self.base_url, self.model, prompt, self.temperature, self.max_tokens])
        return folders.cache() / "endpoint" / f"{hashlib.sha256(asked.encode()).hexdigest()}.json"


def _address(base_url: str) -> httpx2.URL:
    wanted = "write one such as https://host/v1"  # what was written is not shown: it may hold a password or the key
    try:
        address = httpx2.URL(base_url)
    except httpx2.InvalidURL:
        raise UserError(f"base_url cannot be read as an address; {wanted}") from None
    if address.userinfo or address.query or address.fragment:
        raise UserError("base_url holds a user, a query or a fragment; leave it out and give the key with key_env")
    if address.scheme not in ("http", "https") or not address.host:
        raise UserError(f"base_url is no http address; {wanted}")
    return address
