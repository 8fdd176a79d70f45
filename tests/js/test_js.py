"""Runs the tests of the browser's modules, on the node that comes with the browser driver."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from playwright._impl._driver import compute_driver_executable

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
FILES = sorted(HERE.glob("*.test.js"))


def test_there_are_some():
    assert FILES


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_js(path):
    node, _ = compute_driver_executable()
    done = subprocess.run(
        [node, "--test", "--test-reporter=tap", str(path)],
        capture_output=True,
        text=True,
        timeout=60,
        cwd=HERE,
    )
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert "# fail 0" in done.stdout
    assert "# pass 0" not in done.stdout


def test_the_page_fetches_every_module_at_once() -> None:
    """What is imported and not preloaded costs a round trip for each level of imports."""
    static = ROOT / "static"
    wanted: set[str] = set()

    def follow(module: Path) -> None:
        imports = r'^(?:import|export)[^;]*?from "(\.[^"]+)"'
        for reference in re.findall(imports, module.read_text(), re.MULTILINE):
            target = (module.parent / reference).resolve()
            name = str(target.relative_to(static.resolve()))
            if name not in wanted:
                wanted.add(name)
                follow(target)

    follow(static / "wsstream.js")
    page = (static / "index.html").read_text()
    preloaded = re.findall(r'rel="modulepreload" href="static/([^"]+)"', page)
    assert sorted(preloaded) == sorted(wanted)
