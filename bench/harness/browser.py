"""A real Chromium, and pages that are measured from the outside (probe.js)."""

from __future__ import annotations

import os
import shlex
import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, Playwright

from ..errors import Unavailable

AUTOPLAY = "--autoplay-policy=no-user-gesture-required"
"""Sound without a gesture."""
_PROBE = Path(__file__).with_name("probe.js")
_QUIET = [
    f"--{flag}"
    for flag in (
        "disable-background-networking",
        "disable-component-update",
        "disable-default-apps",
        "disable-domain-reliability",
        "disable-gpu",
        "disable-quic",
        "disable-sync",
        "metrics-recording-only",
        "no-default-browser-check",
        "no-first-run",
        "no-pings",
    )
]
"""A browser that talks to nobody but the page."""


def secure_origin(url: str) -> str:
    """The flag that lets the page at this URL do what pages may at localhost and by https only."""
    return f"--unsafely-treat-insecure-origin-as-secure={url.rstrip('/')}"


@contextmanager
def chromium(playwright: Playwright, *flags: str, command: Sequence[str] = ()) -> Iterator[Browser]:
    """A Chromium of its own. ``command`` goes before it, such as
    ``("ip", "netns", "exec", "name")``.

    Raises:
        Unavailable: when there is none.
    """
    names = (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if (found := shutil.which(name))), None)
    if path is None:
        raise Unavailable("no Chromium: install it, or name one with CHROMIUM=/path/to/it")
    sandbox = ["--no-sandbox"] if os.geteuid() == 0 else []
    with tempfile.TemporaryDirectory() as folder:
        if command:  # Playwright takes a path only
            script = Path(folder, "chromium")
            script.write_text(f'#!/bin/sh\nexec {shlex.join([*command, path])} "$@"\n')
            script.chmod(0o700)
            path = str(script)
        browser = playwright.chromium.launch(
            executable_path=path, headless=True, args=[*sandbox, *_QUIET, *flags]
        )
        try:
            yield browser
        finally:
            browser.close()


@contextmanager
def probed_page(browser: Browser, **options: Any) -> Iterator[Page]:
    """A page with the probe in it.

    Raises:
        RuntimeError: at the end, when a script of the page failed.
    """
    context = browser.new_context(**{"viewport": {"width": 1000, "height": 860}, **options})
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.add_init_script(path=_PROBE)
    try:
        yield page
    finally:
        context.close()
    if errors:
        raise RuntimeError(f"scripts of the page failed: {errors}")


def wait_for_picture(page: Page) -> None:
    """Until one is drawn."""
    page.wait_for_function("document.querySelector('ws-stream').stats()?.pictures.drawn > 0")


def wait_for_sound(page: Page) -> None:
    """Until some is held to be played, or comes by WebRTC."""
    page.wait_for_function(
        """() => {
          const stats = document.querySelector("ws-stream").stats();
          return stats && (stats.bufferedMs > 0 || stats.mode === "webrtc");
        }"""
    )
