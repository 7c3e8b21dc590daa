"""A server that speaks the chat-completions protocol on this machine, and says what it is told to."""

import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import cycle
from typing import Any


@dataclass
class Reply:
    """What the server sends; `body` as it is, or as JSON."""

    status: int = 200
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)
    reason: str | None = None
    delay: float = 0.0
    drip: float = 0.0
    """Seconds between two bytes of a header that does not end."""


def completion(content: Any, finish: str = "stop", **more: Any) -> dict[str, Any]:
    message = {"role": "assistant", "content": content}
    choice = {"index": 0, "message": message, "finish_reason": finish}
    usage = {"prompt_tokens": 7, "completion_tokens": 3, "total_tokens": 10}
    return {"id": "c", "object": "chat.completion", "created": 0, "model": "m", "choices": [choice], "usage": usage} | more


def echo(asked: dict[str, Any]) -> Reply:
    return Reply(body=completion(f"answer to {asked['messages'][0]['content']}"))


@dataclass
class Request:
    path: str
    headers: Message
    body: dict[str, Any]
    time: float


class Server(ThreadingHTTPServer):
    """Answers with `script`'s replies first, then with what `reply` makes of the request; counts and remembers."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.script: list[Reply] = []
        self.reply: Callable[[dict[str, Any]], Reply] = echo
        self.requests: list[Request] = []
        self.now = self.most = 0
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/v1"

    def down_after(self, answers: int, reply: Callable[[dict[str, Any]], Reply], status: int) -> set[str]:
        """Give so many answers, and then fail; the prompts that were answered, as they come."""
        given: set[str] = set()

        def failing(asked: dict[str, Any]) -> Reply:
            with self.lock:
                if len(given) == answers:
                    return Reply(status, {"error": "down"})
                given.add(asked["messages"][0]["content"])
            return reply(asked)

        self.reply = failing
        return given

    @property
    def prompts(self) -> list[str]:
        return [request.body["messages"][0]["content"] for request in self.requests]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server = self.server
        with server.lock:
            server.requests.append(Request(self.path, self.headers, body, time.monotonic()))
            scripted = server.script.pop(0) if server.script else None
            server.now += 1
            server.most = max(server.most, server.now)
        try:
            reply = scripted or server.reply(body)
            time.sleep(reply.delay)
        finally:
            with server.lock:
                server.now -= 1
        if reply.drip:
            return self.drip(reply.drip)
        content = reply.body if isinstance(reply.body, bytes) else json.dumps(reply.body).encode()
        self.send_response(reply.status, reply.reason)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def drip(self, seconds: float) -> None:
        self.close_connection = True
        self.send_response(200)
        with suppress(OSError):  # nobody listens any more
            for byte in cycle((b"x", b"-")):
                self.wfile.write(b"".join(self._headers_buffer) + byte)
                self._headers_buffer = []
                time.sleep(seconds)

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def running() -> Iterator[Server]:
    with Server() as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield server
        server.shutdown()
