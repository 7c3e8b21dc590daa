"""What a server answered, read within a bound of bytes."""

import zlib
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


async def read_reply(response: httpx2.Response) -> Reply:
    """Read a streamed response.

    Raises:
        TooLongError: it has more than BODY_BYTES, packed or unpacked.
    """
    content = bytearray()
    # Not unpacked by the client, which does so whole, and once for each name that the server gives.
    async for part in response.aiter_raw():
        content += part
        if len(content) > BODY_BYTES:
            raise TooLongError
    return Reply(
        response.status_code, response.headers, _unpacked_content(bytes(content), response.headers.get("Content-Encoding", ""))
    )


def _unpacked_content(content: bytes, encoding: str) -> bytes:
    """As it is where it is packed in another way than was asked for, or damaged: whoever reads it says that it is no answer."""
    if encoding.strip().lower() != "gzip":
        return content
    try:
        # 16 asks for gzip's header. One byte above the bound shows that there is more, without unpacking it.
        unpacked = zlib.decompressobj(zlib.MAX_WBITS | 16).decompress(content, BODY_BYTES + 1)
    except zlib.error:
        return content
    if len(unpacked) > BODY_BYTES:
        raise TooLongError
    return unpacked
