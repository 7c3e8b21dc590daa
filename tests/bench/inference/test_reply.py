"""A body is read within a bound of bytes."""

import asyncio
import gzip

import httpx2
import pytest

from bench.inference import reply
from bench.inference.reply import TooLongError, read_reply


def read(parts, status=200, **headers):
    async def content():
        for part in parts:
            yield part

    given = {name.replace("_", "-"): value for name, value in headers.items()}
    response = httpx2.Response(status, content=content(), headers=given, request=httpx2.Request("POST", "http://localhost/"))
    return asyncio.run(read_reply(response))


def test_the_whole_body_is_there():
    found = read([b"a", b"", b"b\xff"], status=404)
    assert (found.status, found.content, found.text) == (404, b"ab\xff", "ab\ufffd")


def test_a_body_without_end_is_not_read_to_its_end(monkeypatch):
    monkeypatch.setattr(reply, "BODY_BYTES", 1000)
    sent = []

    def endless():
        while True:
            sent.append(1)
            yield b"x" * 100

    with pytest.raises(TooLongError):
        read(endless())
    assert len(sent) == 11


def test_a_packed_body_is_unpacked_up_to_the_bound(monkeypatch):
    monkeypatch.setattr(reply, "BODY_BYTES", 1000)
    packed = gzip.compress(b"x" * 1000)
    assert read([packed[:10], packed[10:]], Content_Encoding="gzip").content == b"x" * 1000
    with pytest.raises(TooLongError):
        read([gzip.compress(b"x" * 1001)], Content_Encoding=" GZIP")


@pytest.mark.parametrize("encoding", ["br", "gzip, gzip", "identity", ""])
def test_what_is_packed_otherwise_or_damaged_stays_as_it_is(encoding):
    assert read([b"no gzip"], Content_Encoding=encoding).content == b"no gzip"
    assert read([b"no gzip"], Content_Encoding="gzip").content == b"no gzip"
