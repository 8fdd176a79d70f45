"""Runs the tests of the browser's modules, on the node that comes with the browser driver."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from playwright._impl._driver import compute_driver_executable

HERE = Path(__file__).parent
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
