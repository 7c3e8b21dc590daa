"""A key does not get through, however a server has written it."""

import base64
import html
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bench.inference.redaction import redacted

KEY = "sk-Very+Private/Key=0123456789"
PRINTABLE = st.text(st.characters(min_codepoint=33, max_codepoint=126), min_size=8, max_size=60)

WRITTEN = {
    "as it is": str,
    "in an address": lambda text: quote(text, safe=""),
    "in an address, small": lambda text: quote(text, safe="").replace("%2B", "%2b").replace("%2F", "%2f").replace("%3D", "%3d"),
    "in JSON": lambda text: json.dumps(text),
    "in PHP's JSON": lambda text: json.dumps(text).replace("/", "\\/"),
    "in HTML": html.escape,
    "in hexadecimal": lambda text: text.encode().hex(),
    "in base64": lambda text: base64.b64encode(text.encode()).decode(),
    "in base64 for addresses": lambda text: base64.urlsafe_b64encode(text.encode()).decode().rstrip("="),
}


@pytest.mark.parametrize("form", WRITTEN)
@pytest.mark.parametrize("around", ["", "Bearer ", "user:", "x"])
def test_a_key_does_not_get_through(form, around):
    said = f"you sent {WRITTEN[form](around + KEY + around)} today"
    left = redacted(said, KEY)
    assert "[key]" in left and left.startswith("you sent ") and left.endswith(" today")
    assert not any(part in left for part in ("Very", "Private", "0123456789"))
    assert len(left) <= len("you sent  today[key]") + 4 * len(around) + 14


@given(PRINTABLE, st.binary(max_size=7), st.binary(max_size=7))
def test_base64_of_more_than_the_key_hides_it_too(secret, before, after):
    encoded = base64.b64encode(before + secret.encode() + after).decode()
    left = redacted(encoded, secret)
    assert "[key]" in left
    whole = -(-len(secret) * 4 // 3)
    assert len(left) - len("[key]") <= len(encoded) - whole + 4, "but for the characters that it shares with its neighbours"


@pytest.mark.parametrize("placeholder", ["x", "me", "EMP"])
def test_a_placeholder_leaves_the_message_readable(placeholder):
    """Its forms in base64 and in hexadecimal are empty or stand in any word."""
    said = "the model is not here; it was never loaded; 78 others are"
    assert redacted(said, placeholder) == said.replace(placeholder, "[key]")


def test_other_words_stay():
    assert redacted("nothing of the kind", KEY) == "nothing of the kind"
