from __future__ import annotations

from typing import Any

import pytest

from bench.harness.claims import CLAIMS, verdicts


def row(mode: str, size: str = "1280x720 20 fps", **figures: float) -> dict[str, Any]:
    return {"size": size, "mode": mode, "activity": "speaking", **figures}


@pytest.mark.parametrize(
    ("kbps", "ends"),
    [
        (7300.0, "measured 7300: DOES NOT HOLD, it takes more"),
        (4000.0, "measured 4000: holds"),
        (5200.0, "measured 5200: holds"),
        (900.0, "measured 900: holds, it takes less"),
    ],
)
def test_a_claim_is_judged_by_its_row(kbps, ends):
    assert CLAIMS[0].verdict([row("ws-jpeg", video_kbps=kbps)]).endswith(ends)


def test_what_was_not_measured_says_so():
    others = [row("ws-jpeg", "854x480 15 fps", video_kbps=1.0), row("ws-patch", video_kbps=1.0)]
    assert CLAIMS[0].verdict(others).endswith("not measured in this run")
    assert CLAIMS[0].verdict([row("ws-jpeg")]).endswith("not measured in this run")


def test_ratios_at_equal_quality():
    rows = [
        row("ws-jpeg", equal_video_kbps=4000.0),
        row("ws-patch", equal_video_kbps=800.0),
        row("ws-h264", equal_wire_kbps=130.0),
        row("rtc-h264", equal_wire_kbps=100.0),
    ]
    patch, h264 = verdicts(rows)[-2:]
    assert "a ratio of 0.2; wanted at most 0.25: holds" in patch
    assert "a ratio of 1.3; wanted at most 1.05: DOES NOT HOLD" in h264
    assert len(verdicts(rows[:1])) == len(CLAIMS)


def test_an_idle_face_is_compared_with_a_speaking_one_of_its_own_way_and_size():
    rows = [
        row("ws-patch", video_kbps=2000.0),
        row("ws-patch", video_kbps=150.0) | {"activity": "idle"},
        row("ws-h264", video_kbps=200.0),
        row("ws-h264", video_kbps=30.0) | {"activity": "idle"},
        row("rtc-h264", "512x512 25 fps", video_kbps=200.0),
        row("rtc-h264", video_kbps=20.0) | {"activity": "idle"},
    ]
    patch, h264 = verdicts(rows)[-2:]
    assert "ws-patch: an idle face takes 0.075 times" in patch
    assert patch.endswith(": holds")
    assert "ws-h264: an idle face takes 0.15 times" in h264
    assert h264.endswith(": DOES NOT HOLD")
