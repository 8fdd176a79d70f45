"""How soon a viewer hears what it asked for, and how soon it hears nothing more."""

from __future__ import annotations

import math

from playwright.sync_api import Page

AUDIBLE = 0.01
"""Root mean square of full scale: less is silence."""
SENTENCE = "Here I am."
LONG = (
    "This is a longer text, which takes about ten seconds to say aloud. "
    "It has several sentences, so that captions follow one another. "
    "While it is said, the mouth has to move, and afterwards it has to be still."
)
_STATE = "document.querySelector('ws-stream').state"


def until_heard_ms(page: Page) -> float:
    """From `say` to the first sound; the page is idle before and after."""
    page.evaluate(
        """async (text) => {
          level = await probe.watchLevel();
          saidMs = performance.now();
          document.querySelector("ws-stream").say(text);
        }""",
        SENTENCE,
    )
    page.wait_for_function(f"{_STATE} === 'speaking'")
    page.wait_for_function(f"{_STATE} === 'idle'")
    page.wait_for_timeout(500)
    levels, said_ms = page.evaluate("() => [level(), saidMs]")
    return float(next(s["atMs"] for s in levels if s["rms"] > AUDIBLE) - said_ms)


def until_silent_ms(page: Page) -> float:
    """From `interrupt`, at any place of a speech, to the last sound; the page is idle before and
    after.

    Raises:
        RuntimeError: when nothing was heard as it was interrupted.
    """
    levels, interrupted_ms = page.evaluate(
        """async (text) => {
          const stream = document.querySelector("ws-stream");
          const until = (what) => new Promise((done) => {
            const look = () => (what() ? done() : setTimeout(look, 5));
            look();
          });
          const level = await probe.watchLevel();
          stream.say(text);
          await until(() => stream.state === "speaking");
          await new Promise((done) => setTimeout(done, 250 + Math.random() * 200));
          stream.interrupt();
          const interruptedMs = performance.now();
          await until(() => stream.state === "idle");
          await new Promise((done) => setTimeout(done, 500));
          return [level(), interruptedMs];
        }""",
        LONG,
    )
    heard_ms = max((s["atMs"] for s in levels if s["rms"] > AUDIBLE), default=-math.inf)
    after_ms = heard_ms - interrupted_ms
    if after_ms < -40:
        raise RuntimeError("it was not speaking when it was interrupted")
    return float(after_ms)
