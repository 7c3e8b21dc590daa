"""What a server answered, read within bounds: of bytes, and of time from the request to the last of them."""

import time
from dataclasses import dataclass

import httpx2

BODY_BYTES = 16 * 2**20
"""Of a body: a hundred thousand tokens with their markup are about one megabyte."""


class TooLongError(Exception):
    """The body is longer than any answer is."""


@dataclass(frozen=True)
class Reply:
    """A response with the whole of its body."""

    status: int
    headers: httpx2.Headers
    content: bytes

    @property
    def text(self) -> str:
        return self.content.decode("utf-8", "replace")


def read_reply(response: httpx2.Response, until: float) -> Reply:
    """Read a streamed response.

    Args:
        until: the time.monotonic() by which its last byte must be there. The client's own timeout begins anew with each byte.

    Raises:
        TooLongError: it has more than BODY_BYTES.
        httpx2.ReadTimeout: it takes longer.
    """
    parts, size = [], 0
    for part in response.iter_bytes():
        parts.append(part)
        size += len(part)
        if size > BODY_BYTES:
            raise TooLongError
        if time.monotonic() > until:
            raise httpx2.ReadTimeout("the body comes too slowly", request=response.request)
    return Reply(response.status_code, response.headers, b"".join(parts))
