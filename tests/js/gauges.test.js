// What the overlay shows.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Gauges } from "../../static/core/gauges.js";

test("before anything is known nothing is claimed", () => {
  assert.deepEqual(new Gauges().read(100), { kbps: NaN, fps: NaN, latencyMs: NaN, skewMs: NaN });
});

test("latency is from the server's clock to the screen", () => {
  const gauges = new Gauges();
  gauges.pong(1000, 5030, 1060); // the server was at 5030 when it was 1030 here
  gauges.drawn(5000, 1100, null);
  assert.equal(gauges.read(1100).latencyMs, 100);
});

test("the quickest answer says best how the clocks differ", () => {
  const gauges = new Gauges();
  gauges.pong(1000, 5010, 1020);
  gauges.pong(2000, 6150, 2200); // slow, and wrong by its own asymmetry
  gauges.drawn(6000, 2050, null);
  assert.equal(gauges.read(2050).latencyMs, 50);
  gauges.pong(3000, 7006, 3010);
  gauges.drawn(7000, 3050, null);
  assert.equal(gauges.read(3050).latencyMs, 51);
});

test("a clock that has moved is noticed by any answer, however slow", () => {
  const gauges = new Gauges();
  gauges.pong(1000, 5010, 1020);
  gauges.pong(3000, 4850, 3100); // the server's clock stood still for 2.2 s
  gauges.drawn(4800, 3150, null);
  assert.equal(gauges.read(3150).latencyMs, 150);
});

test("nor do clocks that drift part for ever", () => {
  const gauges = new Gauges();
  const server = (/** @type {number} */ localMs) => Math.round(4000 + 1.0001 * localMs);
  gauges.pong(0, server(10), 20);
  for (let t = 0; t < 3_600_000; t += 2000) gauges.pong(t, server(t + 35), t + 70);
  gauges.drawn(server(3_600_000) - 100, 3_600_000, null);
  const { latencyMs } = gauges.read(3_600_000);
  assert(Math.abs(latencyMs - 100) <= 46, `${latencyMs}, of 360 that they drifted`);
});

test("skew is how far the sound is ahead of the picture, where there is sound", () => {
  const gauges = new Gauges();
  gauges.drawn(1000, 0, 1015);
  assert.equal(gauges.read(0).skewMs, 15);
  gauges.drawn(1040, 40, null);
  assert.equal(gauges.read(40).skewMs, NaN);
});

test("rates are taken over 400 ms and more", () => {
  const gauges = new Gauges();
  gauges.read(1000, { video: 0, audio: 0 }, 0);
  const rates = gauges.read(2000, { video: 100_000, audio: 25_000 }, 25);
  assert.equal(rates.kbps, 1000);
  assert.equal(rates.fps, 25);
  assert.equal(gauges.read(2399, { video: 900_000, audio: 0 }, 99).kbps, 1000); // too soon
  assert.equal(gauges.read(2400, { video: 145_000, audio: 30_000 }, 35).kbps, 1000);
});

test("a new session has a new clock, and the rates go on", () => {
  const gauges = new Gauges();
  gauges.pong(1000, 5010, 1020);
  gauges.drawn(5000, 1100, 5000);
  gauges.read(1000, { video: 0 }, 0);
  gauges.read(2000, { video: 1000 }, 25);
  gauges.reset();
  const { latencyMs, skewMs, fps } = gauges.read(2100, { video: 1000 }, 25);
  assert.deepEqual([latencyMs, skewMs, fps], [NaN, NaN, 25]);
  gauges.pong(3000, 150, 3100); // slower than the best of the old session, and yet it counts
  gauges.drawn(100, 3050, null);
  assert.equal(gauges.read(3050).latencyMs, 50);
});

test("a transport that begins to count anew, or is gone, takes nothing from the rate", () => {
  const gauges = new Gauges();
  gauges.read(1000, { video: 1000, rtpVideo: 1_000_000 }, 0);
  assert.equal(gauges.read(2000, { video: 3000, rtpVideo: 0 }, 0).kbps, 16);
  assert.equal(gauges.read(3000, { video: 3000, rtpVideo: 4000 }, 0).kbps, 32);
  assert.equal(gauges.read(4000, { video: 3000, rtpVideo: 1000 }, 0).kbps, 8);
});
