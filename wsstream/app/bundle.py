"""A JavaScript module and all that it imports, as one file.

A browser asks for modules level by level and a few at a time, and each costs it more than its bytes
do: forty of them took most of a second before the first byte of media. So the page's entries are
answered whole. The modules stay as they are, to be read, tested and debugged one by one.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

_IMPORT = re.compile(r'^import \{ \w+(?:, \w+)* \} from "(\.[^"]+)";\n', re.MULTILINE)
_EXPORT = re.compile(r"^export (?=(?:const|class|function|async function) (\w+))", re.MULTILINE)
_LIST = re.compile(r"^export \{ \w+(?:, \w+)* \};\n", re.MULTILINE)
_OTHER = re.compile(r"^(?:import\b|export\b).*|.*(?<!\{)\bimport\(.*", re.MULTILINE)
_COMMENT = re.compile(r"^\s*(?:/\*(?:(?!\*/).)*\*/|//[^\n]*)\n", re.MULTILINE | re.DOTALL)
"""Only those that have their lines to themselves. They are a third of the bytes."""


def bundle(root: Path, entry: str) -> str:
    """``entry``, a path below ``root``, with its imports before it, each in a scope of its own.

    It knows what the page's modules use: ``import { names } from "./file.js";`` and ``export``
    before a declaration of one name; the entry alone may end in ``export { names };``. What modules
    export have to be different names, or browsers refuse the whole. No line of a string may begin
    like a comment.

    Raises:
        ValueError: for any other import or export, and where modules import one another.
        OSError: when a module is not there.
    """
    top = root.resolve()
    first = top / entry
    parts: dict[Path, str] = {}
    awaited: list[Path] = []

    def add(module: Path) -> None:
        if module in parts:
            return
        name = os.path.relpath(module, first.parent).replace(os.sep, "/")
        if module in awaited:
            raise ValueError(f"{name} imports itself, by way of others")
        awaited.append(module)
        source = _COMMENT.sub("", module.read_text(encoding="utf-8"))
        for reference in _IMPORT.findall(source):
            add((module.parent / reference).resolve())
        own = _IMPORT.sub("", source)
        parts[module] = _checked(name, own) if module == first else _scoped(name, own)
        awaited.pop()

    add(first)
    return "\n".join(parts.values())


def _checked(name: str, source: str) -> str:
    if other := _OTHER.search(_LIST.sub("", source)):
        raise ValueError(f"{name}: cannot bundle {other[0]!r}")
    return source


def _scoped(name: str, source: str) -> str:
    """What the module exports is the bundle's; its other names and its URL stay its own."""
    exported = _EXPORT.findall(source)
    if lists := _LIST.search(source):
        raise ValueError(f"{name}: cannot bundle {lists[0]!r}")
    body = _checked(name, _EXPORT.sub("", source))
    names = f"{{ {', '.join(exported)} }}"
    body = body.replace("import.meta.url", f'new URL("{name}", import.meta.url).href')
    return f"// {name}\nconst {names} = (() => {{\n{body}\nreturn {names};\n}})();\n"
