"""What the counters say, as Prometheus text. Nothing is kept: they are read when asked for."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ..session.registry import Registry
from .threads import cpu_seconds

_COUNTERS = {
    "sessions_opened": "Sessions opened",
    "viewers_joined": "Viewers that were let in",
    "viewers_refused": "Viewers turned away for want of room",
    "pictures_released": "Pictures released by sessions",
    "pictures_skipped": "Pictures the avatar was too slow for",
    "packets_released": "Audio packets released by sessions",
    "underruns": "Times speech ran dry within a turn",
    "interruptions": "Interruptions",
    "avatar_failures": "Calls in which an avatar engine failed",
    "jpegs_encoded": "Whole pictures encoded to JPEG",
    "patches_encoded": "Patches encoded to JPEG",
    "video_encoded": "Pictures encoded to H.264 or VP8",
    "video_keys": "Key pictures among them",
    "video_failures": "Pictures whose encoding failed",
    "pictures_sent": "Pictures handed to sockets",
    "packets_sent": "Audio packets handed to sockets",
    "messages_sent": "JSON messages handed to sockets",
    "pictures_replaced": "Pictures replaced by newer ones before they were sent",
    "pictures_stale": "Pictures too old to be sent",
    "packets_dropped": "Audio packets too old to be sent",
    "level_steps": "Steps between levels of size, quality and rate",
    "video_bytes": "Bytes of video frames handed to sockets",
    "audio_bytes": "Bytes of audio frames handed to sockets",
    "text_bytes": "Bytes of JSON messages handed to sockets",
    "peers_connected": "WebRTC peers that connected",
    "switches_up": "Switches of a viewer from the WebSocket to WebRTC",
    "switches_down": "Switches of a viewer from WebRTC to the WebSocket",
    "connect_failures": "Upgrades to WebRTC that failed",
    "transit_failures": "WebRTC connections that broke",
    "rtc_pictures": "Pictures handed to WebRTC",
    "rtc_packets": "Audio packets handed to WebRTC",
    "rtc_bytes": "Bytes of media handed to WebRTC",
    "rtc_dropped": "Pictures and packets that WebRTC did not take in time",
    "rtc_resent": "RTP packets sent again, since they were lost",
    "rtc_unresent": "RTP packets not sent again: on their way already, or of no use any more",
    "rtc_filler_bytes": "Bytes of padding with which links were tried out",
    "rtc_arrived": "Pictures of which pages told when they came over WebRTC",
    "key_requests": "Key pictures that receivers asked for",
}


class _Collector(Collector):
    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def collect(self) -> Iterator[Metric]:
        registry = self._registry
        sessions = len(registry.sessions())
        yield GaugeMetricFamily("wsstream_sessions", "Live sessions", value=sessions)
        yield GaugeMetricFamily("wsstream_viewers", "Viewers", value=registry.viewers)
        cpu = GaugeMetricFamily(
            "wsstream_thread_cpu_seconds",
            "CPU so far of the threads that live, by what they do",
            labels=["work"],
        )
        for work, seconds in cpu_seconds().items():
            cpu.add_metric([work], seconds)
        yield cpu
        counters = registry.counters()
        for name, text in _COUNTERS.items():
            yield CounterMetricFamily(f"wsstream_{name}", text, value=counters[name])


def make_metrics(registry: Registry) -> CollectorRegistry:
    """A registry of its own, so that two applications in one process do not mix."""
    metrics = CollectorRegistry()
    metrics.register(_Collector(registry))
    return metrics


def render(metrics: CollectorRegistry) -> bytes:
    """The Prometheus text format, version 0.0.4."""
    return generate_latest(metrics)
