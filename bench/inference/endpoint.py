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
    """A model's API as its YAML says it.

    Raises:
        UserError: base_url is no plain http(s) address, or a key would travel unencrypted.
    """

    spec: EndpointSpec

    def __post_init__(self) -> None:
        address, key_env = _address(self.base_url), self.spec.key_env
        # The value is not shown: it may be the key itself, put there by mistake.
        if key_env is not None and not re.fullmatch(r"[A-Z_][A-Z0-9_]{0,63}", key_env):
            raise UserError(
                "key_env is no name of an environment variable in capitals, digits and underscores; "
                "put the key into a variable such as OPENAI_API_KEY and write that name"
            )
        if key_env and address.scheme == "http" and not local(address.host):
            raise UserError(f"base_url '{self.base_url}' would carry the key unencrypted; use https, or leave key_env out")

    @property
    def base_url(self) -> str:
        """Without a slash at its end."""
        return self.spec.base_url.rstrip("/")

    @property
    def url(self) -> str:
        """Where prompts are sent."""
        return f"{self.base_url}/chat/completions"

    @property
    def model(self) -> str:
        """The name by which the server knows it."""
        return self.spec.model

    def key(self) -> SecretStr | None:
        """The key, from the environment.

        Raises:
            UserError: the variable is empty, or holds what no header can carry.
        """
        if self.spec.key_env is None:
            return None
        key = os.environ.get(self.spec.key_env, "").strip()
        if not key:
            raise UserError(f"environment variable {self.spec.key_env} holds no key for {self.base_url}; export it")
        if not re.fullmatch(r"[!-~]+", key):
            raise UserError(f"the key in {self.spec.key_env} holds characters that no header can carry; copy it again")
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
