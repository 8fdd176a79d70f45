"""A real Firefox, driven by WebDriver BiDi (https://w3c.github.io/webdriver-bidi/), which it speaks
itself: neither geckodriver nor a patched build is needed."""

from __future__ import annotations

import base64
import itertools
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 5.0
REPLY_TIMEOUT_S = 30.0
AUTOPLAY = {"media.autoplay.default": 0, "media.autoplay.blocking_policy": 0}
"""Sound without a gesture."""
_QUIET: dict[str, Any] = {
    "app.normandy.enabled": False,
    "app.update.auto": False,
    "browser.newtabpage.enabled": False,
    "browser.region.network.url": "",
    "browser.safebrowsing.downloads.enabled": False,
    "browser.safebrowsing.malware.enabled": False,
    "browser.safebrowsing.phishing.enabled": False,
    "browser.search.update": False,
    "browser.shell.checkDefaultBrowser": False,
    "browser.topsites.contile.enabled": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "dom.push.connection.enabled": False,
    "extensions.systemAddon.update.enabled": False,
    "extensions.update.enabled": False,
    "media.gmp-manager.updateEnabled": False,
    "media.gmp-manager.url": "data:text/plain,",
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "network.dns.disablePrefetch": True,
    "network.prefetch-next": False,
    "services.settings.server": "data:,#remote-settings-dummy/v1",
    "toolkit.telemetry.server": "",
}
"""A browser that talks to nobody but the page."""
_LISTENS = re.compile(r"WebDriver BiDi listening on (ws://\S+)")


class Firefox:
    """A running one, with one page."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self._ids = itertools.count()
        self.errors: list[str] = []
        """Of the page's scripts, that nobody caught."""
        self.command("session.new", capabilities={})
        self.command("session.subscribe", events=["log.entryAdded"])
        [page] = self.command("browsingContext.getTree")["contexts"]
        self._page = page["context"]

    def command(self, method: str, **params: Any) -> Any:
        """Send one command of the protocol, and wait for its result.

        Raises:
            RuntimeError: when it fails.
        """
        number = next(self._ids)
        self._connection.send(json.dumps({"id": number, "method": method, "params": params}))
        while True:
            reply = json.loads(self._connection.recv(timeout=REPLY_TIMEOUT_S))
            if reply.get("method") == "log.entryAdded":
                entry = reply["params"]
                if entry["type"] == "javascript" and entry["level"] == "error":
                    self.errors.append(entry["text"])
            elif reply.get("id") == number:
                if reply["type"] == "error":
                    raise RuntimeError(f"{method}: {reply['error']}: {reply['message']}")
                return reply["result"]

    def add_init_script(self, script: str) -> None:
        """Run it in each page before its own scripts."""
        self.command("script.addPreloadScript", functionDeclaration=f"() => {{ {script} }}")

    def goto(self, url: str) -> None:
        """Until it is loaded."""
        self.command("browsingContext.navigate", context=self._page, url=url, wait="complete")

    def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression, awaited, as JSON carries it. There is no user
        gesture in it.

        Raises:
            RuntimeError: when it throws.
        """
        result = self.command(
            "script.evaluate",
            expression=f"(async () => JSON.stringify((await ({expression})) ?? null))()",
            target={"context": self._page},
            awaitPromise=True,
        )
        if result["type"] == "exception":
            raise RuntimeError(f"{expression}: {result['exceptionDetails']['text']}")
        return json.loads(result["result"]["value"])

    def wait_for(self, condition: str, *, timeout_s: float = 10.0) -> None:
        """Until a JavaScript expression holds.

        Raises:
            RuntimeError: when it does not in time.
        """
        held = self.evaluate(
            f"""new Promise((done) => {{
              const startMs = performance.now();
              const look = () => {{
                if ({condition}) done(true);
                else if (performance.now() - startMs > {timeout_s * 1000}) done(false);
                else setTimeout(look, 20);
              }};
              look();
            }})"""
        )
        if not held:
            raise RuntimeError(f"not within {timeout_s:g} s: {condition}")

    def screenshot(self, path: Path) -> None:
        """What is seen, as PNG."""
        shot = self.command("browsingContext.captureScreenshot", context=self._page)
        path.write_bytes(base64.b64decode(shot["data"]))


@contextmanager
def firefox(
    prefs: Mapping[str, Any] | None = None, *, env: Mapping[str, str] | None = None
) -> Iterator[Firefox]:
    """A Firefox of its own, with a new profile. ``prefs`` are those of ``about:config``, ``env``
    what is added to the environment.

    Raises:
        RuntimeError: when there is none, or when it does not start.
    """
    names = (os.environ.get("FIREFOX", ""), "firefox-esr", "firefox")
    path = next((found for name in names if (found := shutil.which(name))), None)
    if path is None:
        raise RuntimeError("no Firefox: install it, or name one with FIREFOX=/path/to/it")
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        lines = [
            f"user_pref({json.dumps(name)}, {json.dumps(value)});\n"
            for name, value in {**_QUIET, **(prefs or {})}.items()
        ]
        Path(profile, "user.js").write_text("".join(lines))
        argv = [path, "--headless", "--no-remote", "--new-instance", "--profile", profile]
        log = Path(profile, "stderr")
        with log.open("wb") as output:
            process = subprocess.Popen(
                [*argv, "--remote-debugging-port=0", "about:blank"],
                stdout=subprocess.DEVNULL,
                stderr=output,
                env={**os.environ, "HOME": profile, **(env or {})},
            )
        try:
            url = _wait_until_it_listens(process, log)
            # No pings: the browser's main thread may be busy for long on a busy machine.
            with connect(
                f"{url}/session", max_size=None, ping_interval=None, compression=None, proxy=None
            ) as connection:
                browser = Firefox(connection)
                try:
                    yield browser
                finally:
                    with suppress(ConnectionClosed):
                        browser.command("browser.close")
        finally:
            try:
                process.wait(STOP_TIMEOUT_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait_until_it_listens(process: subprocess.Popen[bytes], log: Path) -> str:
    """Where, which it tells on its standard error."""
    deadline = time.monotonic() + START_TIMEOUT_S
    while process.poll() is None and time.monotonic() < deadline:
        if match := _LISTENS.search(log.read_text(errors="replace")):
            return match[1]
        time.sleep(0.02)
    process.kill()
    raise RuntimeError(f"Firefox did not start:\n{log.read_text(errors='replace')}")
