"""Play an agent by WHEP in GStreamer, a player that shares no line with ours or with a browser's.

GStreamer's Python bindings come with the system, hence its own Python runs this file as a program.
"""

from __future__ import annotations

import json
import subprocess
import sys
import urllib.parse
import urllib.request
import zlib
from functools import cache
from typing import Any

PYTHON = "/usr/bin/python3"
PACKAGES = (
    "gstreamer1.0-plugins-base gstreamer1.0-plugins-good gstreamer1.0-plugins-bad "
    "gstreamer1.0-nice gir1.2-gst-plugins-bad-1.0 python3-gi"
)
ELEMENTS = (
    *("webrtcbin", "nicesrc", "dtlssrtpdec", "srtpdec", "rtph264depay", "h264parse"),
    *("openh264dec", "rtpvp8depay", "vp8dec", "rtpopusdepay", "opusdec", "videoconvert"),
)
TIMEOUT_S = 15.0
PICTURES, SOUNDS = 25, 50
"""What is waited for: a second of each."""
_H264 = "profile-level-id=(string)42e01f,packetization-mode=(string)1"
_OFFERED = {
    "h264": f"media=video,encoding-name=H264,payload=96,clock-rate=90000,{_H264}",
    "vp8": "media=video,encoding-name=VP8,payload=96,clock-rate=90000",
    "opus": "media=audio,encoding-name=OPUS,payload=97,clock-rate=48000",
}
_DECODERS = {
    "h264": "rtph264depay ! h264parse ! openh264dec ! videoconvert",
    "vp8": "rtpvp8depay ! vp8dec ! videoconvert",
    "opus": "rtpopusdepay ! opusdec ! audioconvert",
}
_RAW = {"video": "video/x-raw,format=I420", "audio": "audio/x-raw,format=S16LE"}


@cache
def available() -> tuple[bool, str]:
    """Whether it is there, and the reason when not."""
    try:
        done = subprocess.run([PYTHON, __file__], capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return False, f"needs the system's Python, {PYTHON}"
    lacks = done.stderr.strip().rpartition("\n")[2]
    return not done.returncode, f"needs GStreamer (packages {PACKAGES}): {lacks}"


def watch(url: str, codec: str) -> dict[str, Any]:
    """Play what the WHEP endpoint gives in this codec, ``h264`` or ``vp8``, for about a second:
    how many ``pictures`` were decoded and how many ``different`` ones were among them, their
    ``size``, how many buffers of ``sounds``, and their ``peak`` (of 32767).

    Raises:
        RuntimeError: when it does not play.
    """
    argv = [PYTHON, __file__, url, codec]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"GStreamer did not play: {done.stdout}{done.stderr}")
    return dict(json.loads(done.stdout))


class _Player:
    """In the process of its own. GStreamer calls from threads of its own."""

    def __init__(self, url: str, codec: str) -> None:
        self._url, self._codec = url, codec
        self._resource = ""
        self._loop = GLib.MainLoop()
        self._pictures: list[int] = []
        self._size = [0, 0]
        self._sounds = self._peak = 0
        self._pipeline = Gst.Pipeline.new()
        rtc = self._rtc = Gst.ElementFactory.make("webrtcbin")
        rtc.set_property("bundle-policy", GstWebRTC.WebRTCBundlePolicy.MAX_BUNDLE)
        self._pipeline.add(rtc)
        for offered in (_OFFERED[codec], _OFFERED["opus"]):
            caps = Gst.Caps.from_string(f"application/x-rtp,{offered}")
            receive = GstWebRTC.WebRTCRTPTransceiverDirection.RECVONLY
            rtc.emit("add-transceiver", receive, caps)
        rtc.connect("on-negotiation-needed", self._offer)
        rtc.connect("notify::ice-gathering-state", self._send_offer)
        rtc.connect("pad-added", self._decode)

    def run(self) -> dict[str, Any]:
        bus = self._pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", lambda _, message: self._fail(message.parse_error()))
        GLib.timeout_add(int(TIMEOUT_S * 1000), self._fail, "nothing more came")
        self._pipeline.set_state(Gst.State.PLAYING)
        self._loop.run()
        self._pipeline.set_state(Gst.State.NULL)
        if self._resource:
            gone = urllib.request.Request(self._resource, method="DELETE")
            urllib.request.urlopen(gone).close()
        return {
            "pictures": len(self._pictures),
            "different": len(set(self._pictures)),
            "size": self._size,
            "sounds": self._sounds,
            "peak": self._peak,
        }

    def _fail(self, reason: object) -> None:
        print(reason, file=sys.stderr)
        self._loop.quit()

    def _offer(self, rtc: Any) -> None:
        def made(promise: Any) -> None:
            reply = promise.get_reply()  # which the offer is a part of
            rtc.emit("set-local-description", reply.get_value("offer"), None)

        rtc.emit("create-offer", None, Gst.Promise.new_with_change_func(made))

    def _send_offer(self, rtc: Any, _: Any) -> None:
        gathered = GstWebRTC.WebRTCICEGatheringState.COMPLETE
        if rtc.get_property("ice-gathering-state") != gathered:
            return
        offer = rtc.get_property("local-description").sdp.as_text().encode()
        request = urllib.request.Request(self._url, offer, {"content-type": "application/sdp"})
        with urllib.request.urlopen(request) as response:
            self._resource = urllib.parse.urljoin(self._url, response.headers["location"])
            _, sdp = GstSdp.SDPMessage.new_from_text(response.read().decode())
        answer = GstWebRTC.WebRTCSessionDescription.new(GstWebRTC.WebRTCSDPType.ANSWER, sdp)
        rtc.emit("set-remote-description", answer, None)

    def _decode(self, _: Any, pad: Any) -> None:
        kind = pad.get_current_caps().get_structure(0).get_string("media")
        decoder = _DECODERS[self._codec if kind == "video" else "opus"]
        sink = f"appsink name=sink emit-signals=true sync=false caps={_RAW[kind]}"
        decoding = Gst.parse_bin_from_description(f"{decoder} ! {sink}", True)
        decoding.get_by_name("sink").connect("new-sample", self._take, kind)
        self._pipeline.add(decoding)
        decoding.sync_state_with_parent()
        pad.link(decoding.sinkpads[0])

    def _take(self, sink: Any, kind: str) -> Any:
        sample = sink.emit("pull-sample")
        buffer = sample.get_buffer()
        data = buffer.extract_dup(0, buffer.get_size())
        if kind == "video":
            self._pictures.append(zlib.crc32(data))
            caps = sample.get_caps().get_structure(0)
            self._size = [caps.get_value("width"), caps.get_value("height")]
        else:
            self._sounds += 1
            self._peak = max(self._peak, *memoryview(data).cast("h"))
        if len(self._pictures) >= PICTURES and self._sounds >= SOUNDS:
            self._loop.quit()
        return Gst.FlowReturn.OK


if __name__ == "__main__":
    import gi

    for name in ("Gst", "GstSdp", "GstWebRTC"):
        gi.require_version(name, "1.0")
    from gi.repository import GLib, Gst, GstSdp, GstWebRTC

    Gst.init(None)
    missing = [name for name in ELEMENTS if Gst.ElementFactory.find(name) is None]
    if missing:
        sys.exit(f"no elements {', '.join(missing)}")
    if sys.argv[1:]:
        print(json.dumps(_Player(*sys.argv[1:]).run()))
