"""No session here has threads of its own: what they would do is done at once."""

from __future__ import annotations

import pytest

from tests.fakes import InlineExecutor


@pytest.fixture(autouse=True)
def no_threads(monkeypatch):
    monkeypatch.setattr("wsstream.session.stage.ThreadPoolExecutor", InlineExecutor)
    monkeypatch.setattr("wsstream.session.registry.ThreadPoolExecutor", InlineExecutor)
