"""The floors: who may import whom, and how large a file may grow. The source is read, not run."""

from __future__ import annotations

import ast
import fnmatch
import statistics
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "wsstream"

FLOORS = {
    # 0: plain, no I/O
    "errors": 0,
    "config": 0,
    "clock": 0,
    "auth": 0,
    "version": 0,
    # 1: sans I/O, time is an argument
    "protocol": 1,
    # 2: sound and pictures
    "media": 2,
    # 3: the ports, and pure helpers beside them
    "avatar.base": 3,
    "avatar.lipsync": 3,
    "avatar.phonetics": 3,
    "voice.base": 3,
    "voice.sentences": 3,
    "transport.base": 3,
    # 4: adapters
    "avatar": 4,
    "voice": 4,
    "transport": 4,
    # 5: knows ports, not adapters
    "session": 5,
    # 6: the composition root
    "app": 6,
    # what users import
    "": 7,
}
"""By module, or by package for all that is in it; the longest name counts."""

PORTS, ADAPTERS, SESSION = 3, 4, 5

FAMILIES = {
    "voice.espeak": ("voice.espeak_*", "voice.phonemes"),
    "transport.websocket": ("transport.link",),
}
"""Adapters, and the files that are theirs alone. A package under ``avatar/``, ``voice/`` or
``transport/`` is one adapter with all its files."""

NOT_ON_FLOOR_1 = {
    *("asyncio", "threading", "multiprocessing", "socket", "ssl", "time", "datetime", "random"),
    *("os", "pathlib", "logging", "numpy", "cv2", "av", "starlette", "uvicorn", "websockets"),
}

MAX_LINES = 400
MAX_MEDIAN_LINES = 200

TESTED_ELSEWHERE = {
    "errors": "nothing but names and numbers; tests/app/test_facetime.py meets each",
    "version": "one line; tests/app/test_cli.py prints it",
    "avatar.base": "a port; tests/contracts/ holds every engine to it",
    "voice.base": "a port; tests/contracts/ holds every voice to it",
    "transport.base": "a port; tests/transport/ and tests/fake_peers.py implement it",
    "avatar.phonetics": "the ears of lipsync; tests/avatar/test_lipsync.py listens with them",
    "avatar.portrait.arrays": "arithmetic; tests/avatar/portrait/test_motion.py and others do it",
    "avatar.portrait.inside": "behind the lips; tests/avatar/portrait/test_mouth.py opens them",
    "avatar.portrait.landmarks": "plain data, in every test of tests/avatar/portrait/",
    "avatar.portrait.lids": "over the eyes; tests/avatar/portrait/test_eyes.py closes them",
    "avatar.portrait.lips": "where a mouth is; tests/avatar/portrait/test_detect.py looks for it",
    "voice.espeak_library": "another process; tests/voice/test_espeak_process.py runs it",
    "app.app": "puts routes together; tests/app/test_routes.py and test_facetime.py ask them",
}
"""Modules without a test file of their own, and why."""


@cache
def modules() -> dict[str, Path]:
    """Every module by its name below ``wsstream``; packages by theirs."""
    found = {}
    for path in PACKAGE.rglob("*.py"):
        parts = path.relative_to(PACKAGE).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def is_package(name: str) -> bool:
    return modules()[name].name == "__init__.py"


@cache
def imports(name: str) -> frozenset[str]:
    """What of this package a module imports, wherever in the file, for types only or not."""
    return frozenset(_imports(name))


def _imports(name: str) -> Iterator[str]:
    here = ["wsstream", *filter(None, name.split("."))]
    for node in ast.walk(ast.parse(modules()[name].read_text("utf-8"))):
        if isinstance(node, ast.Import):
            targets = [(alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            up = node.level - is_package(name) if node.level else 0
            base = here[: len(here) - up] if node.level else []
            path = ".".join([*base, *([node.module] if node.module else [])])
            targets = [(path, alias.name) for alias in node.names]
        else:
            continue
        for path, attribute in targets:
            if path.split(".")[0] == "wsstream":
                within = path.partition(".")[2]
                deeper = f"{within}.{attribute}".lstrip(".")
                yield deeper if deeper in modules() else within


@cache
def foreign(name: str) -> frozenset[str]:
    """The top names of what a module imports from elsewhere."""
    found = set()
    for node in ast.walk(ast.parse(modules()[name].read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not node.level:
            found.add((node.module or "").split(".")[0])
    return frozenset(found)


def floor(name: str) -> int:
    parts = [] if name == "__main__" else name.split(".")
    while (prefix := ".".join(parts)) not in FLOORS:
        parts.pop()
    return FLOORS[prefix]


def package(name: str) -> str:
    """What a module's own package is: for an adapter, the adapter."""
    if floor(name) == ADAPTERS:
        return adapter(name)
    return name.split(".")[0] if "." in name or is_package(name) else ""


def adapter(name: str) -> str:
    for family, members in FAMILIES.items():
        if name == family or any(fnmatch.fnmatchcase(name, member) for member in members):
            return family
    return ".".join(name.split(".")[:2])


def all_modules() -> pytest.MarkDecorator:
    return pytest.mark.parametrize("name", sorted(modules()), ids=lambda name: name or "wsstream")


@all_modules()
def test_a_module_imports_from_lower_floors_or_its_own_package(name):
    wrong = {
        other
        for other in imports(name)
        if not (floor(other) < floor(name) or package(other) == package(name))
    }
    assert wrong == set()


@all_modules()
def test_nobody_imports_the_package_from_within(name):
    assert "" not in imports(name) or name == ""


@pytest.mark.parametrize("name", [n for n in sorted(modules()) if floor(n) == SESSION])
def test_sessions_know_ports_and_not_adapters(name):
    assert {other for other in imports(name) if floor(other) == ADAPTERS} == set()


@pytest.mark.parametrize("name", [n for n in sorted(modules()) if floor(n) == 1])
def test_the_protocol_is_pure(name):
    assert foreign(name) & NOT_ON_FLOOR_1 == set()


@pytest.mark.parametrize("name", [n for n in sorted(modules()) if floor(n) == 0])
def test_the_ground_floor_needs_no_event_loop_and_no_media(name):
    assert foreign(name) & {"asyncio", "numpy", "cv2", "av", "starlette", "uvicorn"} == set()


def test_there_are_no_cycles():
    done: set[str] = set()

    def walk(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join([*path, name])
        if name not in done:
            for other in sorted(imports(name) - {name}):
                walk(other, (*path, name))
            done.add(name)

    for name in sorted(modules()):
        walk(name, ())


def test_every_family_and_floor_is_of_something_that_exists():
    known = set(modules())
    assert {name for name in FLOORS if name not in known} == set()
    assert {family for family in FAMILIES if family not in known} == set()
    for members in FAMILIES.values():
        for member in members:
            assert fnmatch.filter(known, member), member


def sources() -> list[Path]:
    found: list[Path] = []
    for folder in ("wsstream", "static", "bench"):
        for suffix in (".py", ".js", ".css", ".html"):
            found += (ROOT / folder).rglob(f"*{suffix}")
    return [path for path in found if "vendor" not in path.parts]


def lines(path: Path) -> int:
    return len(path.read_text("utf-8").splitlines())


def test_no_file_is_long():
    assert {str(p.relative_to(ROOT)): lines(p) for p in sources() if lines(p) > MAX_LINES} == {}


def test_half_the_files_are_short():
    assert statistics.median(lines(path) for path in modules().values()) < MAX_MEDIAN_LINES


def mirror(name: str) -> Path:
    *folders, last = name.split(".")
    return ROOT.joinpath("tests", *folders, f"test_{last}.py")


def test_every_module_has_its_tests():
    missing = {
        name
        for name in modules()
        if not is_package(name)
        and name not in TESTED_ELSEWHERE
        and name != "__main__"
        and not mirror(name).exists()
    }
    assert missing == set()


def test_every_exception_is_one():
    assert {name for name in TESTED_ELSEWHERE if name not in modules()} == set()
    assert {name for name in TESTED_ELSEWHERE if mirror(name).exists()} == set()


def test_the_rules_notice_what_breaks_them():
    """The reading of imports, on the real thing."""
    assert "protocol.frames" in imports("protocol.viewer")
    assert "clock" in imports("protocol.flow")
    assert "media.types" in imports("avatar.portrait.provider")
    assert "avatar.base" in imports("avatar.portrait.provider")
    assert "app.cli" in imports("__main__")
    assert "msgspec" in foreign("protocol.messages")
    assert adapter("voice.espeak_library") == adapter("voice.phonemes") == "voice.espeak"
    assert (
        adapter("avatar.portrait.rig") == adapter("avatar.portrait") != adapter("avatar.testcard")
    )
