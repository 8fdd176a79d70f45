"""A real Chromium or Firefox against a real server, each in its own process."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Playwright, sync_playwright

from bench.harness import firefox
from bench.harness.browser import AUTOPLAY, chromium, probed_page
from bench.harness.server import serving

Serve = Callable[..., str]


def card(*, size: str = "512x512", fps: float = 25, **options: object) -> dict:
    """A configuration whose only agent is the test card, under the default agent's name."""
    avatar = {"provider": "testcard", **options}
    return {"agents": {"ada": {"title": "Card", "size": size, "fps": fps, "avatar": avatar}}}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture
def serve() -> Iterator[Serve]:
    """Start a server: `serve(agents={...})` gives its URL."""
    with ExitStack() as stack:
        yield lambda **config: stack.enter_context(serving(config)).url


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="session")
def browser(playwright: Playwright) -> Iterator[Browser]:
    """A Chromium that may play sound without a gesture."""
    with chromium(playwright, AUTOPLAY) as browser:
        yield browser


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page that fails the test when a script of it fails."""
    with probed_page(browser) as page:
        yield page


@pytest.fixture(scope="session")
def firefox_browser() -> Iterator[firefox.Firefox]:
    """A Firefox that may play sound without a gesture."""
    with firefox.firefox(firefox.AUTOPLAY) as browser:
        yield browser


@pytest.fixture
def fox(firefox_browser: firefox.Firefox, serve: Serve) -> Iterator[firefox.Firefox]:
    """Its page, which is left before its server is stopped. A test fails when a script of the page
    fails."""
    firefox_browser.errors.clear()
    yield firefox_browser
    firefox_browser.goto("about:blank")
    assert firefox_browser.errors == []
