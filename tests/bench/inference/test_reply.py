"""A body is read within bounds of bytes and time."""

import time

import httpx2
import pytest

from bench.inference import reply
from bench.inference.reply import TooLongError, read_reply


def response(parts, status=200):
    return httpx2.Response(status, content=iter(parts), request=httpx2.Request("POST", "http://localhost/"))


def soon():
    return time.monotonic() + 60


def test_the_whole_body_is_there():
    found = read_reply(response([b"a", b"", b"b\xff"], status=404), soon())
    assert (found.status, found.content, found.text) == (404, b"ab\xff", "ab\ufffd")


def test_a_body_without_end_is_not_read_to_its_end(monkeypatch):
    monkeypatch.setattr(reply, "BODY_BYTES", 1000)
    sent = []

    def endless():
        while True:
            sent.append(1)
            yield b"x" * 100

    with pytest.raises(TooLongError):
        read_reply(response(endless()), soon())
    assert len(sent) == 11


def test_a_body_that_drips_is_not_waited_for():
    def dripping():
        while True:
            time.sleep(0.01)
            yield b"x"

    began = time.monotonic()
    with pytest.raises(httpx2.ReadTimeout):
        read_reply(response(dripping()), began + 0.1)
    assert 0.1 <= time.monotonic() - began < 2
