"""What is told of a run beside rivals."""

from __future__ import annotations

from bench.rivals.subjects import OUR_PICTURES, OUR_PRIVATE, OUR_SHARED, OUR_SOCKET, Subject
from bench.rivals.verdicts import verdicts


def subject(what, codec="h264", ours=False, **options):
    return Subject(what, None, "aiortc", 1, ours, codec, **options)


def rows(**cpu_ms):
    names = {"shared": OUR_SHARED, "private": OUR_PRIVATE, "pictures": OUR_PICTURES}
    return {
        names.get(name, name): {
            "what": names.get(name, name),
            "cpu_ms_per_picture": ms,
            "psnr_db": 40.0,
            "kbps": 100.0,
            "first_ms": 50.0,
            "first_100_ms_rtt_ms": 300.0,
        }
        for name, ms in {**cpu_ms, OUR_SOCKET: 1.0}.items()
    }


OURS = [subject(what, ours=True) for what in (OUR_SHARED, OUR_PRIVATE, OUR_PICTURES)]
THEIRS = [
    subject("relayed", "vp8", own_source=False),
    subject("each vp8", "vp8"),
    subject("each h264"),
    subject("silent", sound=False),
]
CPU_MS = {"relayed": 8.0, "each vp8": 10.0, "each h264": 20.0, "silent": 15.0}


def told(private_ms):
    found = rows(shared=0.2, private=private_ms, pictures=4.0, **CPU_MS)
    lines = verdicts([*OURS, *THEIRS], found)
    return {line.split(": ")[0]: line for line in lines}


def test_a_private_session_is_held_against_the_best_of_any_codec_that_has_a_source_each():
    lines = told(2.5)
    assert "1/4 each vp8 (2.5 to 10 ms)" in lines["CPU per private WebRTC session"]
    assert lines["CPU per private WebRTC session"].endswith("wanted at most 1/4: holds")
    assert "1/8 each h264" in lines["CPU per private WebRTC session, H.264 alone"]
    assert "relayed" in lines["CPU per private WebRTC session to one source for all"]
    assert "silent" in lines["CPU per private WebRTC session, pictures alone"]


def test_what_does_not_hold_is_said():
    assert told(2.6)["CPU per private WebRTC session"].endswith("DOES NOT HOLD")
    assert "holds" in told(2.6)["CPU per private WebRTC session, H.264 alone"]


def test_of_what_was_not_measured_nothing_is_said():
    found = rows(shared=0.2, private=2.0, pictures=4.0, **{**CPU_MS, "each vp8": None})
    lines = verdicts([*OURS, *THEIRS[:2]], found)
    assert not any(line.startswith("CPU per private WebRTC session:") for line in lines)
