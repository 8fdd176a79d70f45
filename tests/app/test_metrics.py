"""What the counters say, as Prometheus reads it."""

from __future__ import annotations

from collections import Counter

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.servers import TESTCARD, running_server, viewing
from wsstream.app.metrics import make_metrics, render


class FakeRegistry:
    def __init__(self, sessions=2, viewers=3, **counters):
        self._sessions = [None] * sessions
        self.viewers = viewers
        self._counters = Counter(counters)

    def sessions(self):
        return self._sessions

    def counters(self):
        return self._counters


def read(text):
    """Every sample by its name; none twice."""
    samples = [s for family in text_string_to_metric_families(text) for s in family.samples]
    names = [(sample.name, *sample.labels.items()) for sample in samples]
    assert len(names) == len(set(names))
    return {sample.name: sample.value for sample in samples}


def test_gauges_and_counters_are_read_when_asked_for():
    registry = FakeRegistry(packets_sent=7)
    metrics = make_metrics(registry)
    first = read(render(metrics).decode())
    assert first["wsstream_sessions"] == 2
    assert first["wsstream_viewers"] == 3
    assert first["wsstream_packets_sent_total"] == 7
    registry._counters["packets_sent"] += 1
    assert read(render(metrics).decode())["wsstream_packets_sent_total"] == 8


def test_what_has_not_happened_is_zero():
    assert read(render(make_metrics(FakeRegistry())).decode())["wsstream_interruptions_total"] == 0


def test_each_has_its_kind_and_a_word_of_help():
    text = render(make_metrics(FakeRegistry())).decode()
    families = list(text_string_to_metric_families(text))
    assert {family.type for family in families} == {"counter", "gauge"}
    for family in families:
        assert family.name.startswith("wsstream_")
        assert family.documentation


def test_two_applications_in_one_process_do_not_mix():
    one, two = make_metrics(FakeRegistry(sessions=1)), make_metrics(FakeRegistry(sessions=5))
    assert read(render(one).decode())["wsstream_sessions"] == 1
    assert read(render(two).decode())["wsstream_sessions"] == 5


@pytest.fixture(scope="module")
def server():
    with running_server({"ada": TESTCARD}, limits={"linger_s": 0}) as server:
        yield server


def test_every_counter_of_a_live_server_is_told_and_nothing_goes_down(server):
    with viewing(server.ws()) as viewer:
        viewer.watch(200)
        viewer.send("say", text="Hello.")
        viewer.message("state", value="speaking")
        viewer.send("interrupt")
        viewer.message("flush")
        first = read(server.get("metrics").body.decode())
        counters = server.loop_call(server.registry.counters)
        viewer.watch(100)
        second = read(server.get("metrics").body.decode())
    missing = {name for name in counters if f"wsstream_{name}_total" not in first}
    assert missing == set()
    totals = {name for name in first if name.endswith("_total")}
    assert {name for name in totals if second[name] < first[name]} == set()
    for name in ("packets_sent", "pictures_sent", "messages_sent", "jpegs_encoded"):
        assert first[f"wsstream_{name}_total"] > 0
    assert first["wsstream_interruptions_total"] >= 1
    assert (first["wsstream_sessions"], first["wsstream_viewers"]) == (1, 1)


def test_bytes_on_the_wire_are_those_counted(server):
    before = read(server.get("metrics").body.decode())
    with viewing(server.ws()) as viewer:
        viewer.watch(300)
    received = sum(12 + len(frame.payload) for frame in viewer.frames)
    after = read(server.get("metrics").body.decode())
    names = ("wsstream_video_bytes_total", "wsstream_audio_bytes_total")
    sent = sum(after[name] - before[name] for name in names)
    assert received <= sent < received + 50_000  # some was under way at the end


def test_it_is_served_as_the_format_it_is(server):
    answer = server.get("metrics")
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
