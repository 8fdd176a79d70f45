"""How far a bench is: steps done of steps planned, and how long each took."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeAlias

Show: TypeAlias = Callable[[str, int, int | None], None]
"""Is given what is being measured now, the steps done, and how many there are, where known."""


class Steps:
    """A bench calls `plan` once it knows how many steps it has, and the object itself with a text
    at the beginning of each."""

    def __init__(
        self, show: Show = lambda *_: None, now: Callable[[], float] = time.monotonic
    ) -> None:
        """``now`` gives seconds."""
        self.took_s: dict[str, float] = {}
        """By text; the same text twice is added."""
        self._show, self._now = show, now
        self._begun = 0
        self._total: int | None = None
        self._current: tuple[str, float] | None = None

    def plan(self, count: int) -> None:
        """So many more steps are to come."""
        self._total = self._begun + count

    def __call__(self, text: str) -> None:
        """The step before is done; this one begins."""
        self.end()
        self._show(text, self._begun, self._total)
        self._begun += 1
        self._current = text, self._now()

    def end(self) -> None:
        """The last step is done."""
        if self._current is not None:
            text, since_s = self._current
            self.took_s[text] = self.took_s.get(text, 0.0) + self._now() - since_s
        self._current = None
