"""What a bench says when it cannot be."""

from __future__ import annotations


class Unavailable(RuntimeError):
    """This machine lacks what a bench needs: a line that says what. It is no failure: the others go
    on."""
