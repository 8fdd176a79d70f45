from __future__ import annotations

import pytest

plots = pytest.importorskip("bench.plots")

BANDWIDTH = {"size": "512x512 25 fps", "mode": "ws-jpeg", "activity": "playing"}
KBPS = {"video_kbps": 9.0, "audio_kbps": 1.0, "overhead_kbps": 2.0, "total_kbps": 12.0}


@pytest.mark.parametrize(
    ("name", "rows", "says"),
    [
        ("bandwidth", [BANDWIDTH | KBPS], "playing"),
        ("links", [{"link": "clean", "mode": "auto", "lag_p50_ms": 9.0, "fps": 20.0}], "clean"),
        ("latency", [{"mode": "ws-h264", "picture_p50_ms": 81.0}], "ws-h264"),
        ("peers", [{"what": "aiortc, VP8", "cpu_ms_per_picture": 12.0}], "aiortc, VP8"),
    ],
)
def test_rows_become_a_picture(tmp_path, name, rows, says):
    path = tmp_path / "made" / f"{name}.svg"
    assert plots.draw(name, rows, path)
    assert says in path.read_text()


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("crowd", [{"what": "x"}]),
        ("bandwidth", [BANDWIDTH]),
        ("links", [{"link": "clean", "mode": "auto", "failed": "no"}]),
        ("peers", []),
    ],
)
def test_without_figures_there_is_none(tmp_path, name, rows):
    assert not plots.draw(name, rows, tmp_path / "none.svg")
    assert not (tmp_path / "none.svg").exists()
