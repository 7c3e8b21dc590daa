"""Where a model behind an OpenAI-compatible API is, how it is asked and how patiently; the key comes from the environment."""

import ipaddress
import os
import re
from dataclasses import dataclass

import httpx2
from pydantic import SecretStr

from bench.errors import UserError
from bench.specs.model import EndpointSpec


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
    max_tokens: int = EndpointSpec.model_fields["max_tokens"].default
    temperature: float | None = EndpointSpec.model_fields["temperature"].default
    """None where the model refuses to be given one, as reasoning models do."""
    concurrency: int = EndpointSpec.model_fields["concurrency"].default
    timeout: float = EndpointSpec.model_fields["timeout"].default
    """Seconds from a request to the last byte of its answer."""
    retries: int = EndpointSpec.model_fields["retries"].default

    @classmethod
    def of(cls, spec: EndpointSpec) -> "Endpoint":
        """As a model's YAML says it."""
        return cls(
            base_url=spec.base_url,
            model=spec.model,
            key_variable=spec.key_env,
            max_tokens=spec.max_tokens,
            temperature=spec.temperature,
            concurrency=spec.concurrency,
            timeout=spec.timeout,
            retries=spec.retries,
        )

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


def local(host: str) -> bool:
    """Whether a host is this machine."""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
