"""One conversation with a chat-completions API: sent, asked again where that may help, and read; what goes wrong, in words.

The key goes into the Authorization header alone. Whatever the server says is searched for it before anybody sees it.
"""

import json
import logging
import os
import threading
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from itertools import cycle
from types import TracebackType
from typing import Annotated, Any, Self

import httpx2
from anyio import fail_after
from anyio.from_thread import start_blocking_portal
from pydantic import BaseModel, Field
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

from bench.errors import RunError, UserError
from bench.inference.endpoint import Endpoint, local
from bench.inference.redaction import redacted
from bench.inference.reply import BODY_BYTES, Reply, TooLongError, read_reply

BACKOFF = wait_exponential(multiplier=0.5, max=30) + wait_random(0, 0.5)
LONGEST_WAIT = 60.0
"""Seconds that a server's Retry-After can make us wait."""
SECRET_CHARACTERS = 8
"""A shorter key is a placeholder (`none`, `EMPTY`), which an answer may hold by chance."""
MESSAGE_CHARACTERS = 200
FORMLESS = 1
"""Answers in a wrong form after which the same is asked again."""
PASSING = {408, 409, 425, 429}
"""Statuses that asking again may heal, beside 5xx."""
ADVICE = {
    400: "check the model's name and the length of the prompts",
    403: "use a key that may use this model",
    404: "check base_url (it usually ends in /v1) and the model's name",
    429: "the account has no credit left",
}


@dataclass(frozen=True)
class ChatAnswer:
    """What the model said to one conversation, and the tokens that the server counted for it."""

    text: str
    input_tokens: int
    output_tokens: int
    cached: bool = False
    """Nothing was paid for it now: it was kept from before, or the same was asked twice."""
    usage_known: bool = True
    """The server counted tokens; without, both counts are 0."""
    truncated: bool = False
    """It ends where `max_tokens` did."""

    @property
    def silent(self) -> bool:
        """It has no text: a refusal of the server's filter, or thoughts alone, of which some servers make null and others an
        empty text."""
        return not self.text.strip()


Tokens = Annotated[int, Field(ge=0, le=10**9)]


class _Message(BaseModel):
    content: str | list[dict[str, Any]] | None = None


class _Choice(BaseModel):
    message: _Message
    finish_reason: str | None = None


class _Usage(BaseModel):
    prompt_tokens: Tokens | None = None
    completion_tokens: Tokens | None = None


class _Reply(BaseModel):
    """The parts of a chat completion that are read."""

    choices: list[_Choice] = Field(min_length=1)
    usage: _Usage | None = None


class _PassingError(Exception):
    """What asking again may heal, in words; `after` is the server's wish in seconds."""

    def __init__(self, words: str, after: float = 0.0) -> None:
        super().__init__(words)
        self.after = after


class _FormError(_PassingError):
    """An answer that is paid for, and is no chat completion: a server that sends one mostly sends more."""


def _reason(error: BaseException) -> str:
    """What the system said, below what client and loop made of it; of several addresses that were tried, of the last."""
    message = str(error)
    while inner := error.exceptions[-1] if isinstance(error, BaseExceptionGroup) else error.__cause__ or error.__context__:
        error, message = inner, str(inner) or message
    return os.strerror(error.errno) if isinstance(error, ConnectionError) and error.errno else message


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


class Connection:
    """The connections to an endpoint, shared by threads; `halt` ends waiting and retrying."""

    def __init__(self, endpoint: Endpoint, halt: threading.Event) -> None:
        self.endpoint, self.key, self.halt = endpoint, endpoint.key(), halt
        self.limit = "max_tokens"
        for library in ("httpx2", "httpcore2"):  # they log what the server says, which may be the key
            logging.getLogger(library).setLevel(logging.WARNING)
        address, headers = httpx2.URL(endpoint.base_url), {"Accept-Encoding": "gzip"}
        self.http = httpx2.AsyncClient(
            headers=headers | ({"Authorization": f"Bearer {self.key.get_secret_value()}"} if self.key else {}),
            timeout=None,  # of a request as a whole, in _post
            limits=httpx2.Limits(max_connections=endpoint.spec.concurrency),
            trust_env=address.scheme == "https" or not local(address.host),  # no proxy sees what is for this machine alone
        )
        self._open = ExitStack()

    def __enter__(self) -> Self:
        self._loop = self._open.enter_context(start_blocking_portal())
        self._open.callback(self._loop.call, self.http.aclose)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._open.close()

    def answer(self, turns: Sequence[str]) -> ChatAnswer:
        """Ask until there is an answer, an error that stays, or no retry left."""
        patient = Retrying(
            retry=retry_if_exception_type(_PassingError),
            wait=_pause,
            stop=stop_after_attempt(self.endpoint.spec.retries + 1) | stop_when_event_set(self.halt),
            sleep=sleep_using_event(self.halt),
            reraise=True,
        )
        formless = 0

        def once() -> ChatAnswer:
            nonlocal formless
            try:
                return self._once(turns)
            except _FormError as error:
                formless += 1
                if formless > FORMLESS:
                    raise RunError(
                        f"{error} (it came {formless} times, each of which the server may bill); check that base_url is of a "
                        f"chat-completions API: answers received so far are kept"
                    ) from None
                raise

        try:
            return patient(once)
        except _PassingError as error:
            tries = patient.statistics["attempt_number"]
            raise RunError(
                f"{error} (tried {tries} times); check base_url and the server, or use less concurrency, and run it again: "
                f"answers received so far are kept"
            ) from None

    def _once(self, turns: Sequence[str]) -> ChatAnswer:
        try:
            response = self._sent(turns)
        except (TimeoutError, httpx2.TimeoutException):
            raise _PassingError(f"{self.endpoint.url} did not answer within {self.endpoint.spec.timeout:g} s") from None
        except TooLongError:
            raise _FormError(f"{self.endpoint.url} sent more than {BODY_BYTES // 2**20} MiB for one answer") from None
        except httpx2.RequestError as error:
            raise _PassingError(f"{self.endpoint.url} cannot be reached: {self._short(_reason(error))}") from None
        return self._read(response)

    def _sent(self, turns: Sequence[str]) -> Reply:
        limit = self.limit
        response = self._post(turns, limit)
        if response.status == 400 and limit == "max_tokens" and "max_completion_tokens" in response.text:
            self.limit = "max_completion_tokens"  # the name that OpenAI's reasoning models insist on
            response = self._post(turns, self.limit)
        return response

    def _post(self, turns: Sequence[str], limit: str) -> Reply:
        spec = self.endpoint.spec
        body: dict[str, Any] = {
            "model": spec.model,
            "messages": [{"role": role, "content": turn} for role, turn in zip(cycle(("user", "assistant")), turns)],
            limit: spec.max_tokens,
        }
        if spec.temperature is not None:
            body["temperature"] = spec.temperature
        content, headers = json.dumps(body), {"Content-Type": "application/json"}

        async def exchanged() -> Reply:
            # In a loop that can break off whatever it waits for: a client's own limits of time begin anew with each byte.
            with fail_after(spec.timeout):
                async with self.http.stream("POST", self.endpoint.url, content=content, headers=headers) as response:
                    return await read_reply(response)

        return self._loop.call(exchanged)

    def _read(self, response: Reply) -> ChatAnswer:
        if not 200 <= response.status < 300:
            raise self._refused(response)
        try:
            reply = _Reply.model_validate(json.loads(response.content))
        except (ValueError, RecursionError):  # no JSON, no UTF-8, or no such fields
            words = self._message(response)
            raise _FormError(
                f"{self.endpoint.url} sent no chat completion for model '{self.endpoint.model}': {words}"
            ) from None
        content = reply.choices[0].message.content or ""
        text = content if isinstance(content, str) else "".join(str(part.get("text") or "") for part in content)
        if self.key and len(self.key) >= SECRET_CHARACTERS:
            text = self._redacted(text)
        usage = reply.usage or _Usage()
        return ChatAnswer(
            text=text.encode("utf-8", "replace").decode(),  # JSON can hold half a character, a file cannot
            input_tokens=usage.prompt_tokens or 0,
            output_tokens=usage.completion_tokens or 0,
            usage_known=usage.prompt_tokens is not None and usage.completion_tokens is not None,
            truncated=reply.choices[0].finish_reason == "length",
        )

    def _refused(self, response: Reply) -> Exception:
        status, message = response.status, self._message(response)
        words = f"{self.endpoint.url} answered {status} for model '{self.endpoint.model}': {message}"
        if (status in PASSING or status >= 500) and "insufficient_quota" not in response.text:
            return _PassingError(words, retry_after(response.headers.get("Retry-After"), time.time()))
        return UserError(f"{words}; {self._advice(response)}")

    def _advice(self, response: Reply) -> str:
        if 300 <= response.status < 400:
            return f"put the address it redirects to into base_url ({self._short(response.headers.get('Location', ''))})"
        if response.status == 401:
            variable = self.endpoint.spec.key_env
            return f"check the key in {variable}" if variable else "name the environment variable of its key with key_env"
        return ADVICE.get(response.status, "change what the message names")

    def _message(self, response: Reply) -> str:
        """The server's own words: the `error.message` of the protocol, or what other servers send instead."""
        try:
            content = json.loads(response.content)
        except (ValueError, RecursionError):
            return self._short(response.text)
        for name in ("error", "message", "detail"):
            content = content.get(name, content) if isinstance(content, dict) else content
        return self._short(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False))

    def _short(self, text: str) -> str:
        text = self._redacted(" ".join("".join(c if c.isprintable() else " " for c in text).split()))
        return (text[: MESSAGE_CHARACTERS - 1] + "…" if len(text) > MESSAGE_CHARACTERS else text) or "no message"

    def _redacted(self, text: str) -> str:
        return redacted(text, self.key.get_secret_value()) if self.key else text
