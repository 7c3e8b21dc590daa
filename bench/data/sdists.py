"""A source distribution from the package index that pip is set up for, without building or running anything of it.

pip itself runs an sdist's setup.py to learn its metadata, even for `pip download --no-deps` (pypa/pip#1884, open since
2014), so pip is only asked for its settings.
"""

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from urllib.parse import urlsplit

import requests
from pypi_simple import NoSuchProjectError, PyPISimple, UnsupportedContentTypeError

from bench.errors import UserError

SECONDS = 60
"""Longest wait for an answer of the index."""


def download(package: str, version: str) -> bytes:
    """The content of the sdist; the caller checks its hash.

    Index, further indexes, certificates, proxy and trusted hosts are pip's (pip.conf, PIP_INDEX_URL, ...); user and
    password may stand in the index's URL or in ~/.netrc, a keyring is not asked.

    Raises:
        UserError: no index gives it; the message names the reason of each.
    """
    settings = _pip_settings()
    reasons = []
    for index in _indexes(settings):
        try:
            return _from_index(index, package, version, settings)
        except (requests.RequestException, NoSuchProjectError, UnsupportedContentTypeError, LookupError) as error:
            without_login = re.sub(r"(?<=://)[^/\s@]*@", "", " ".join(str(error).split()))  # user and password of an index
            reasons.append(without_login[:200] or type(error).__name__)
    raise UserError(f"the sdist of {package}=={version} could not be downloaded ({'; '.join(reasons)})")


def _pip_settings() -> dict[str, str]:
    """pip's settings by name; environment before the section of `pip download` before the global one, as pip has it."""
    done = subprocess.run([sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True)
    listed = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
    settings: dict[str, str] = {}
    for section in ("global.", "download.", ":env:."):
        # pip prints the values as Python literals.
        named = {key.removeprefix(section): value for key, value in listed.items() if key.startswith(section)}
        settings |= {key: str(ast.literal_eval(value)) for key, value in named.items()}
    return settings


def _indexes(settings: dict[str, str]) -> Iterator[str | None]:
    """URLs of the indexes in pip's order; None is PyPI."""
    yield settings.get("index-url")
    yield from settings.get("extra-index-url", "").split()


def _from_index(index: str | None, package: str, version: str, settings: dict[str, str]) -> bytes:
    with PyPISimple(session=_session(settings), **({"endpoint": index} if index else {})) as client:
        host = urlsplit(client.endpoint).hostname
        # A trusted host may be given with a port, which after this split matches no host's name.
        if host in settings.get("trusted-host", "").replace(":", " ").split():
            client.s.verify = False
        page = client.get_project_page(package, timeout=SECONDS)
        urls = [file.url for file in page.packages if file.package_type == "sdist" and file.version == version]
        if not urls:
            raise LookupError(f"{package} has no sdist of version {version} there")
        # The index's password goes to no other host.
        auth = requests.utils.get_auth_from_url(client.endpoint) if urlsplit(urls[0]).hostname == host else ("", "")
        answer = client.s.get(urls[0], timeout=SECONDS, auth=auth if any(auth) else None)
        answer.raise_for_status()
        return answer.content


def _session(settings: dict[str, str]) -> requests.Session:
    session = requests.Session()
    session.verify = settings.get("cert", True)
    session.cert = settings.get("client-cert")
    if proxy := settings.get("proxy"):
        session.proxies = {"http": proxy, "https": proxy}
    return session
