"""When sound is protected against loss."""

from __future__ import annotations

import pytest

from wsstream.protocol.fec import InbandFec


def test_it_is_off_until_packets_are_lost():
    fec = InbandFec()
    assert [fec.report(loss, n) for n, loss in enumerate([0, 0.01, 0.02])] == [False] * 3
    assert fec.report(0.021, 3)


def test_it_ends_after_ten_seconds_without_loss():
    fec = InbandFec()
    fec.report(0.1, 100)
    assert fec.report(0, 109.9)
    assert not fec.report(0.004, 110)


@pytest.mark.parametrize("loss", [0.005, 0.01, 0.02])
def test_a_little_loss_neither_begins_nor_ends_it(loss):
    fec = InbandFec()
    assert not fec.report(loss, 0)
    fec.report(0.1, 100)
    for at in range(105, 200, 5):
        assert fec.report(loss, at)
    assert fec.report(0, 204)
    assert not fec.report(0, 205)
