"""A model behind an OpenAI-compatible chat-completions API: prompts in, answers out, nothing trained.

Answers are kept on disk, so that an interrupted run goes on without paying twice. The key comes from the environment
and goes into the Authorization header alone: never into a message, a log or a file.
"""

import hashlib
import ipaddress
import json
import logging
import os
import re
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

import httpx2
from pydantic import BaseModel, Field, NonNegativeInt, SecretStr, TypeAdapter
from tenacity import (
    RetryCallState,
    Retrying,
    retry_if_exception_type,
    sleep_using_event,
    stop_after_attempt,
    stop_when_event_set,
    wait_exponential,
    wait_random,
)

from bench import folders
from bench.errors import RunError, UserError

BACKOFF = wait_exponential(multiplier=0.5, max=30) + wait_random(0, 0.5)
LONGEST_WAIT = 60.0
"""Seconds that a server's Retry-After can make us wait."""
SECRET_CHARACTERS = 8
"""A shorter key is a placeholder (`none`, `EMPTY`), which an answer may hold by chance."""
MESSAGE_CHARACTERS = 200
PASSING = {408, 409, 425, 429}
"""Statuses that asking again may heal, beside 5xx."""
ADVICE = {
    400: "check the model's name and the length of the prompts",
    403: "use a key that may use this model",
    404: "check base_url (it usually ends in /v1) and the model's name",
    429: "the account has no credit left",
}


@dataclass(frozen=True)
class Answer:
    """What the model said to one prompt, and the tokens that the server counted for it."""

    text: str
    input_tokens: int
    output_tokens: int
    cached: bool = False
    """Nothing was paid for it now: it was kept from before, or the prompt is a repeated one."""
    usage_known: bool = True
    """The server counted tokens; without, both counts are 0."""
    truncated: bool = False
    """It ends where `max_tokens` did."""


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
    temperature: float = 0.0
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
        if self.key_variable and address.scheme == "http" and not _local(address.host):
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
        with _Connection(self, halt) as connection, ThreadPoolExecutor(self.concurrency) as pool:
            asked = {pool.submit(self._asked, connection, prompt): prompt for prompt in prompts}
            try:
                for done in as_completed(asked):
                    heard(asked[done], done.result())
            finally:  # after an error nothing new is asked; what is under way is paid for, and kept
                halt.set()
                pool.shutdown(cancel_futures=True)

    def _asked(self, connection: "_Connection", prompt: str) -> Answer:
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


KEPT = TypeAdapter(Answer)


def _address(base_url: str) -> httpx2.URL:
    try:
        address = httpx2.URL(base_url)
    except httpx2.InvalidURL as error:
        raise UserError(f"base_url cannot be read as an address ({error}); write one such as https://host/v1") from None
    if address.userinfo or address.query or address.fragment:  # not shown: it may be a password
        raise UserError("base_url holds a user, a query or a fragment; leave it out and give the key with key_env")
    if address.scheme not in ("http", "https") or not address.host:
        raise UserError(f"base_url '{base_url}' is no http address; write one such as https://host/v1")
    return address


def _local(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _Message(BaseModel):
    content: str | list[dict[str, Any]] | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Usage(BaseModel):
    prompt_tokens: NonNegativeInt | None = None
    completion_tokens: NonNegativeInt | None = None


class _Reply(BaseModel):
    """The parts of a chat completion that are read."""

    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None


class _PassingError(Exception):
    """What asking again may heal, in words; `after` is the server's wish in seconds."""

    def __init__(self, words: str, after: float = 0.0) -> None:
        super().__init__(words)
        self.after = after


def _pause(state: RetryCallState) -> float:
    """Back-off with jitter, and no less than the server asked for."""
    error = state.outcome and state.outcome.exception()
    return max(BACKOFF(state), error.after if isinstance(error, _PassingError) else 0.0)


def retry_after(value: str | None, now: float) -> float:
    """Seconds that a Retry-After header (RFC 9110: seconds or an HTTP date) asks for, 0 without one, at most LONGEST_WAIT."""
    try:
        seconds = float(value or 0)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value or "").timestamp() - now
        except (ValueError, OverflowError):
            return 0.0
    return min(max(0.0, seconds), LONGEST_WAIT)  # in this order "nan" is 0


class _Connection:
    """The connections to an endpoint, shared by threads; `halt` ends waiting and retrying."""

    def __init__(self, endpoint: Endpoint, halt: threading.Event) -> None:
        self.endpoint, self.key, self.halt = endpoint, endpoint.key(), halt
        self.limit = "max_tokens"
        for library in ("httpx2", "httpcore2"):  # they log what the server says, which may be the key
            logging.getLogger(library).setLevel(logging.WARNING)
        address = httpx2.URL(endpoint.base_url)
        self.http = httpx2.Client(
            headers={"Authorization": f"Bearer {self.key.get_secret_value()}"} if self.key else {},
            timeout=endpoint.timeout,
            limits=httpx2.Limits(max_connections=endpoint.concurrency),
            trust_env=address.scheme == "https" or not _local(address.host),  # no proxy sees what is for this machine alone
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.http.close()

    def answer(self, prompt: str) -> Answer:
        """Ask until there is an answer, an error that stays, or no retry left."""
        patient = Retrying(
            retry=retry_if_exception_type(_PassingError),
            wait=_pause,
            stop=stop_after_attempt(self.endpoint.retries + 1) | stop_when_event_set(self.halt),
            sleep=sleep_using_event(self.halt),
            reraise=True,
        )
        try:
            return patient(self._once, prompt)
        except _PassingError as error:
            tries = patient.statistics["attempt_number"]
            raise RunError(
                f"{error} (tried {tries} times); check base_url and the server, or use less concurrency, and run it again: "
                f"answers received so far are kept"
            ) from None

    def _once(self, prompt: str) -> Answer:
        try:
            response = self._sent(prompt)
        except httpx2.TimeoutException:
            raise _PassingError(f"{self.endpoint.url} did not answer within {self.endpoint.timeout:g} s") from None
        except httpx2.RequestError as error:
            raise _PassingError(f"{self.endpoint.url} cannot be reached: {self._short(str(error))}") from None
        return self._read(response)

    def _sent(self, prompt: str) -> httpx2.Response:
        limit = self.limit
        response = self._post(prompt, limit)
        if response.status_code == 400 and limit == "max_tokens" and "max_completion_tokens" in response.text:
            self.limit = "max_completion_tokens"  # the name that OpenAI's reasoning models insist on
            response = self._post(prompt, self.limit)
        return response

    def _post(self, prompt: str, limit: str) -> httpx2.Response:
        asked = self.endpoint
        messages = [{"role": "user", "content": prompt}]
        body = {"model": asked.model, "messages": messages, "temperature": asked.temperature, limit: asked.max_tokens}
        return self.http.post(asked.url, content=json.dumps(body), headers={"Content-Type": "application/json"})

    def _read(self, response: httpx2.Response) -> Answer:
        if not response.is_success:
            raise self._refused(response)
        try:
            reply = _Reply.model_validate(json.loads(response.content))
        except ValueError:  # no JSON, no UTF-8, or no such fields
            said = self._message(response)
            raise _PassingError(
                f"{self.endpoint.url} sent no chat completion for model '{self.endpoint.model}': {said}"
            ) from None
        content = reply.choices[0].message.content or ""
        text = content if isinstance(content, str) else "".join(str(part.get("text") or "") for part in content)
        if self.key and len(self.key) >= SECRET_CHARACTERS:
            text = self._redacted(text)
        usage = reply.usage or _Usage()
        return Answer(
            text=text.encode("utf-8", "replace").decode(),  # JSON can hold half a character, a file cannot
            input_tokens=usage.prompt_tokens or 0,
            output_tokens=usage.completion_tokens or 0,
            usage_known=usage.prompt_tokens is not None and usage.completion_tokens is not None,
            truncated=reply.choices[0].finish_reason == "length",
        )

    def _refused(self, response: httpx2.Response) -> Exception:
        status, said = response.status_code, self._message(response)
        words = f"{self.endpoint.url} answered {status} for model '{self.endpoint.model}': {said}"
        if (status in PASSING or status >= 500) and "insufficient_quota" not in response.text:
            return _PassingError(words, retry_after(response.headers.get("Retry-After"), time.time()))
        return UserError(f"{words}; {self._advice(response)}")

    def _advice(self, response: httpx2.Response) -> str:
        if response.is_redirect:
            return f"put the address it redirects to into base_url ({self._short(response.headers.get('Location', ''))})"
        if response.status_code == 401:
            variable = self.endpoint.key_variable
            return f"check the key in {variable}" if variable else "name the environment variable of its key with key_env"
        return ADVICE.get(response.status_code, "change what the message names")

    def _message(self, response: httpx2.Response) -> str:
        """The server's own words: the `error.message` of the protocol, or what other servers send instead."""
        try:
            said = json.loads(response.content)
        except ValueError:
            return self._short(response.text)
        for name in ("error", "message", "detail"):
            said = said.get(name, said) if isinstance(said, dict) else said
        return self._short(said if isinstance(said, str) else json.dumps(said, ensure_ascii=False))

    def _short(self, text: str) -> str:
        text = self._redacted(" ".join("".join(c if c.isprintable() else " " for c in text).split()))
        return (text[: MESSAGE_CHARACTERS - 1] + "…" if len(text) > MESSAGE_CHARACTERS else text) or "no message"

    def _redacted(self, text: str) -> str:
        if self.key:
            secret = self.key.get_secret_value()
            for form in (secret, quote(secret, safe="")):
                text = text.replace(form, "[key]")
        return text
