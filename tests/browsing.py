"""A real browser for the page's tests: Debian's Chromium, steered by Playwright; without it they are skipped, and say so."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

CHROMIUM = shutil.which("chromium")


@contextmanager
def browsing() -> Iterator:
    """A browser, started once for many pages."""
    if CHROMIUM is None:
        pytest.skip("there is no chromium; `apt-get install chromium` brings it")
    sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright's Python package is not installed")
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Opened:
    """A page with all that it said and asked for."""

    def __init__(self, browser, path: Path, address: str = "", **context) -> None:
        self.said: list[str] = []
        self.asked: list[str] = []
        self.context = browser.new_context(accept_downloads=True, **context)
        self.page = self.context.new_page()
        self.page.set_default_timeout(20_000)
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("dialog", lambda dialog: (self.said.append(f"dialog: {dialog.message}"), dialog.dismiss()))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.file = path.resolve().as_uri()
        self.page.goto(self.file + address)

    def close(self) -> None:
        """Nothing was said on the console, and nothing was asked for but the file and what the page holds itself."""
        self.context.close()
        assert not self.said, self.said
        assert {url for url in self.asked if not url.startswith(("data:", "blob:"))} == {self.file}

    def column(self, title: str, host: str = "#board") -> list[str]:
        """The first line of each cell of a column."""
        titles = self.page.locator(f"{host} thead tr:last-child th .sort").all_inner_texts()
        place = titles.index(title) + 1
        return [text.split("\n")[0] for text in self.page.locator(f"{host} tbody tr > :nth-child({place})").all_inner_texts()]

    @property
    def hash(self) -> str:
        return self.page.evaluate("location.hash")
