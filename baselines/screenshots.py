"""The pictures of the page in docs/: `python baselines/screenshots.py out` takes them of out/leaderboard.html.

`tunebench report` writes the page; the browser is Debian's chromium, by Playwright.
"""

import shutil
from pathlib import Path

import typer
from playwright.sync_api import Page, sync_playwright

DOCS = Path(__file__).parents[1] / "docs"


def taken(page: Page, name: str, place: str, height: int = 900) -> None:
    """What lies from the place's top on."""
    page.set_viewport_size({"width": 1280, "height": height})
    page.evaluate("(place) => document.querySelector(place).scrollIntoView()", place)
    page.wait_for_timeout(200)
    page.screenshot(path=DOCS / name)


def main(out: Path, choice: str = "", other: str = "") -> None:
    """`choice` is what stands behind the # of the page's address for the picture of a choice; `other` for that of a run."""
    address = (out / "leaderboard.html").resolve().as_uri()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page(device_scale_factor=1.5)
        page.goto(address)
        taken(page, "leaderboard.png", "body")
        taken(page, "plots.png", "#drawings", 800)
        page.goto(f"{address}#{choice}")
        page.evaluate("document.querySelectorAll('#choice details').forEach((each) => (each.open = true))")
        taken(page, "choice.png", "#pick", 520)
        page.goto(f"{address}#run={other or page.evaluate('DATA[0].runs[0].id')}")
        taken(page, "disagreements.png", "#disagreements", 800)
        browser.close()


if __name__ == "__main__":
    typer.run(main)
