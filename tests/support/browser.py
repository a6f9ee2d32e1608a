"""A real browser for the tests: the Chromium of the system, driven by Playwright, which brings none of its own."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

NEEDED = "LEADGATE_NEEDS_BROWSER"
"""Set to 1, it makes a missing Chromium a failure."""
_PROGRAMS = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
_ON_THIS_MACHINE = (
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-gpu",
    "--disable-quic",
    "--disable-sync",
    # Pages are those of servers of the tests: no other host has an address, and no proxy is asked for one.
    "--no-proxy-server",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)


class ChromiumMissing(Exception):
    """There is no Chromium on this machine."""


def find_chromium() -> Path:
    """Find the system's Chromium or Chrome; raise ChromiumMissing where there is none."""
    for program in _PROGRAMS:
        if found := shutil.which(program):
            return Path(found)
    raise ChromiumMissing(
        f"There is no Chromium: on Debian, `apt-get install chromium`. None of {', '.join(_PROGRAMS)} is on the PATH."
    )


def is_needed() -> bool:
    """Whether a missing Chromium is to fail a test, and not to skip it."""
    return os.environ.get(NEEDED) == "1"


@contextmanager
def open_page() -> Iterator[Page]:
    """Open an empty page in a browser of its own, with a new profile; both are gone in the end.

    No event loop can be run in this thread meanwhile: Playwright's own is running.
    """
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=_ON_THIS_MACHINE)
        try:
            yield browser.new_page(viewport={"width": 1200, "height": 1600})
        finally:
            browser.close()


def submit_form(page: Page) -> None:
    """Press the button of a Prefect form until it is sent: while its page is being drawn, a click goes nowhere."""
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    for _ in range(5):
        page.get_by_role("button", name="Submit").click()
        for _ in range(50):
            if any(url.endswith("/create_flow_run") for url in sent):
                return
            page.wait_for_timeout(100)
    raise AssertionError(f"the form sent nothing but {sent}")
