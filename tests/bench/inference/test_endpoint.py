"""Addresses that may be asked, and keys that must not be shown."""

import pytest

from bench.errors import UserError
from bench.inference.endpoint import Endpoint
from bench.specs.model import EndpointSpec

KEY = "sk-Very+Private/Key=0123456789"
VARIABLE = "BENCH_TEST_KEY"


def leaks(*places: str) -> bool:
    return any(part in place for place in places for part in (KEY, "Very", "Private", "0123456789"))


@pytest.fixture(autouse=True)
def no_key(monkeypatch):
    monkeypatch.delenv(VARIABLE, raising=False)


def endpoint(base_url, key_env=None):
    return Endpoint(EndpointSpec(base_url=base_url, model="m", key_env=key_env))


def test_a_slash_at_the_end_of_an_address_is_not_doubled():
    assert endpoint("https://host/v1/").url == "https://host/v1/chat/completions"


@pytest.mark.parametrize("place", ["http://api.example.com/v1", "http://localhost.example.com", "http://127.0.0.1.example.com"])
def test_a_key_is_not_sent_unencrypted(place):
    with pytest.raises(UserError, match=f"base_url '{place}' would carry the key unencrypted; use https, or leave key_env out"):
        endpoint(place, VARIABLE)
    assert endpoint(place).key() is None


@pytest.mark.parametrize(
    "place", ["https://api.example.com/v1", "http://localhost:1/v1", "http://[::1]:8000/v1", "http://127.0.0.9"]
)
def test_a_key_may_travel_encrypted_or_within_the_machine(place):
    assert endpoint(place, VARIABLE).url == f"{place}/chat/completions"


@pytest.mark.parametrize("place", ["api.example.com/v1", "ftp://host/v1", "", "https://", "http://host:port/", "https:///v1"])
def test_what_is_no_address(place):
    with pytest.raises(UserError, match="base_url .*; write one such as https://host/v1"):
        endpoint(place)


@pytest.mark.parametrize("pattern", ["https://me:{}@host/v1", "https://host/v1?key={}", "https://host/v1#{}", "{}", "x:{}"])
@pytest.mark.parametrize("key", [KEY, KEY.replace("/", "")])
def test_secrets_in_the_wrong_place_are_not_repeated(pattern, key):
    with pytest.raises(UserError, match="^base_url ") as caught:
        endpoint(pattern.format(key))
    assert not leaks(str(caught.value))
    with pytest.raises(UserError, match="key_env is no name of an environment variable") as caught:
        endpoint("https://host/v1", key)
    assert not leaks(str(caught.value))
