"""A key is taken out of whatever a server says, also where the server has written it in another way."""

import base64
import html
import json
import re
from collections.abc import Iterator
from urllib.parse import quote

INSTEAD = "[key]"
SHORTEST = 4
"""Characters of a key that is written in another way. Servers that want no key are given one of a letter or two; in base64 that
is two letters, or none, which stand in any text."""


def redacted(text: str, secret: str) -> str:
    """The text with `[key]` for the secret: as it is, quoted for an address, JSON or HTML, in base64 or in hexadecimal."""
    for form in _forms(secret):
        if form == secret or len(form) >= SHORTEST:
            text = text.replace(form, INSTEAD)
    return text


def _forms(secret: str) -> Iterator[str]:
    quoted = quote(secret, safe="")
    yield from (secret, quoted, re.sub("%..", lambda match: match[0].lower(), quoted))
    yield from (json.dumps(secret)[1:-1], secret.replace("/", "\\/"), html.escape(secret))
    yield from (secret.encode().hex(), secret.encode().hex().upper())
    # Of `user:KEY` and `Bearer KEY` too: three bytes are four characters, so that the key begins at one of three places.
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + secret.encode()).decode().rstrip("=")
        # The first characters hold bits of what stands before, and the last one of what comes after.
        own = encoded[(0, 2, 3)[before] : len(encoded) - (1 if (before + len(secret)) % 3 else 0)]
        yield from (own, own.translate(str.maketrans("+/", "-_")))
