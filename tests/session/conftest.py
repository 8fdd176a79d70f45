"""No session here has threads of its own: what they would do is done at once."""

from __future__ import annotations

import sys

import pytest

from tests.fakes import InlineExecutor


@pytest.fixture(autouse=True)
def no_threads(monkeypatch):
    for name, module in list(sys.modules.items()):
        if name.startswith("wsstream.session.") and hasattr(module, "ThreadPoolExecutor"):
            monkeypatch.setattr(module, "ThreadPoolExecutor", InlineExecutor)
