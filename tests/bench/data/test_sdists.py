"""A package index on this machine: what it is asked for, and that nothing of what it gives is run."""

import base64
import io
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from bench.data import sdists
from bench.errors import UserError


@pytest.fixture
def index(monkeypatch, tmp_path):
    """An index with one sdist, whose setup.py would leave a trace if it ran; pip is set up for it."""
    trace = tmp_path / "ran"
    script = f"open({str(trace)!r}, 'w').close()".encode()
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w:gz") as archive:
        entry = tarfile.TarInfo("thing-1.0/setup.py")
        entry.size = len(script)
        archive.addfile(entry, io.BytesIO(script))
    content = made.getvalue()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append((self.path, self.headers.get("Authorization")))
            page = f'<a href="{links[0]}/files/thing-1.0.tar.gz">thing-1.0.tar.gz</a>'
            pages = {"/simple/thing/": page.encode(), "/files/thing-1.0.tar.gz": content}
            body = pages.get(self.path)
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html" if body and body.startswith(b"<") else "application/octet-stream")
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, *_):
            pass

    seen, links = [], [""]
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{server.server_port}/simple")
    monkeypatch.delenv("PIP_EXTRA_INDEX_URL", raising=False)
    monkeypatch.setenv("NO_PROXY", "*")
    yield {"content": content, "seen": seen, "links": links, "port": server.server_port, "trace": trace}
    server.shutdown()
    server.server_close()


def test_an_sdist_comes_from_pips_index_and_is_not_run(index):
    assert sdists.download("Thing", "1.0") == index["content"]
    assert [path for path, _ in index["seen"]] == ["/simple/thing/", "/files/thing-1.0.tar.gz"]
    assert not index["trace"].exists()


def test_a_further_index_is_asked_where_the_first_has_nothing(index, monkeypatch):
    monkeypatch.setenv("PIP_EXTRA_INDEX_URL", f"http://127.0.0.1:{index['port']}/simple")
    monkeypatch.setenv("PIP_INDEX_URL", f"http://127.0.0.1:{index['port']}/empty")
    assert sdists.download("thing", "1.0") == index["content"]


def test_what_was_not_found_is_told_with_each_reason(index):
    with pytest.raises(UserError, match=r"sdist of thing==2.0 could not be downloaded \(thing has no sdist of version 2.0"):
        sdists.download("thing", "2.0")
    with pytest.raises(UserError, match=r"sdist of other==1.0 could not be downloaded \(.*'other'"):
        sdists.download("other", "1.0")


@pytest.mark.parametrize(("host", "told"), [("127.0.0.1", True), ("localhost", False)])
def test_a_password_goes_to_the_index_alone(index, monkeypatch, host, told):
    monkeypatch.setenv("PIP_INDEX_URL", f"http://me:secret@127.0.0.1:{index['port']}/simple")
    index["links"][0] = f"http://{host}:{index['port']}"
    sdists.download("thing", "1.0")
    sent = "Basic " + base64.b64encode(b"me:secret").decode()
    assert index["seen"] == [("/simple/thing/", sent), ("/files/thing-1.0.tar.gz", sent if told else None)]


@pytest.mark.parametrize(("port", "package"), [(9, "thing"), (None, "other")])
def test_an_index_that_gives_nothing_is_told_without_a_password(index, monkeypatch, port, package):
    """It is not reached, or does not have it."""
    monkeypatch.setenv("PIP_INDEX_URL", f"http://me:secret@127.0.0.1:{port or index['port']}/simple")
    with pytest.raises(UserError, match="could not be downloaded") as caught:
        sdists.download(package, "1.0")
    assert "secret" not in str(caught.value) and "127.0.0.1" in str(caught.value)
