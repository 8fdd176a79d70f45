"""Which part of a table is measured, as the command line says it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence


def chosen(names: Sequence[str], given: str, separator: str) -> tuple[str, ...]:
    """Of the names, those that are given, in the names' order. A name may hold the separator.

    Raises:
        argparse.ArgumentTypeError: when one is none of them.
    """
    rest, found = given, []
    while rest:
        fits = [n for n in names if rest == n or rest.startswith(n + separator)]
        if not fits:
            raise argparse.ArgumentTypeError(f"{rest!r} is none of: {'; '.join(names)}")
        found.append(max(fits, key=len))
        rest = rest[len(found[-1]) + len(separator) :]
    return tuple(name for name in names if name in found)
