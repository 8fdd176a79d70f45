// Sound by its timestamp, played at an even pace.
import assert from "node:assert/strict";
import { test } from "node:test";
import { RingBuffer } from "../../static/audio/ring-buffer.js";
import { MAX_TARGET_MS, MIN_TARGET_MS, MOST_TARGET_MS } from "../../static/audio/target.js";

const RATE = 48_000;
const BLOCK_MS = 20;
const BLOCK = (RATE * BLOCK_MS) / 1000;
/** An audio thread reads 128; this goes into a block without rest. */
const QUANTUM = 120;
const QUANTUM_MS = (QUANTUM * 1000) / RATE;

const NOTHING = { underruns: 0, concealedMs: 0, lateMs: 0, gapMs: 0, skippedMs: 0 };

/** @param {number} value @param {number} length */
const level = (value, length = BLOCK) => new Float32Array(length).fill(value);

/** A ring that holds `ms` from media time `from` on, each block of `value`.
 * @param {RingBuffer} ring @param {number} from @param {number} ms @param {number} value */
function fill(ring, from, ms, value = 0.5) {
  for (let at = from; at < from + ms; at += BLOCK_MS) ring.write(at, level(value));
  return from + ms;
}

/** Read so much, bit by bit. @param {RingBuffer} ring @param {number} ms */
function read(ring, ms) {
  const heard = [];
  const out = new Float32Array(QUANTUM);
  for (let n = 0; n < Math.round(ms / QUANTUM_MS); n++) {
    ring.read(out);
    heard.push(...out);
  }
  return heard;
}

/** Play and feed in step, from media time `from` on. @param {RingBuffer} ring */
function run(ring, from, ms, value = 0.5) {
  let at = from;
  const heard = [];
  for (let passed = 0; passed < ms; passed += BLOCK_MS) {
    ring.write(at, level(value));
    at += BLOCK_MS;
    heard.push(...read(ring, BLOCK_MS));
  }
  return { at, heard };
}

/** A ring that plays with its target held. */
function playing() {
  const ring = new RingBuffer(RATE);
  const at = fill(ring, 1000, 60);
  const { at: next } = run(ring, at, 200);
  return { ring, at: next };
}

test("until the target is held there is silence", () => {
  const ring = new RingBuffer(RATE);
  fill(ring, 1000, 40);
  assert(read(ring, 50).every((sample) => sample === 0));
  assert.equal(ring.playing, false);
  fill(ring, 1040, 20);
  assert(read(ring, 20).some((sample) => sample !== 0));
  assert.equal(ring.playing, true);
});

test("the first sound fades in", () => {
  const ring = new RingBuffer(RATE);
  fill(ring, 1000, 80);
  const heard = read(ring, 16);
  for (let n = 1; n < heard.length; n++) assert(heard[n] >= heard[n - 1] - 1e-6);
  assert(heard[0] < 0.01);
  assert(Math.abs(heard[heard.length - 1] - 0.5) < 1e-6);
});

test("what is written is what is heard, in its order", () => {
  const ring = new RingBuffer(RATE);
  /** @param {number} n */
  const ramp = (n) => Float32Array.from({ length: BLOCK }, (_, i) => (n * BLOCK + i) / 1e5);
  const heard = [];
  for (let n = 0; n < 20; n++) {
    ring.write(n * BLOCK_MS, ramp(n));
    if (n >= 2) heard.push(...read(ring, BLOCK_MS));
  }
  const loud = heard.slice(BLOCK); // past the fade
  for (let i = 1; i < loud.length; i++) {
    const step = loud[i] - loud[i - 1];
    assert(step > 0.9e-5 && step < 1.1e-5, `at ${i}: ${step}`);
  }
});

test("media time is that of the next sample", () => {
  const ring = new RingBuffer(RATE);
  fill(ring, 1000, 60);
  read(ring, QUANTUM_MS);
  assert(Math.abs(ring.mediaMs - (1000 + QUANTUM_MS)) < 0.1);
  assert(Math.abs(ring.bufferedMs - (60 - QUANTUM_MS)) < 0.1);
});

test("what piled up before anything was heard is no delay", () => {
  const ring = new RingBuffer(RATE);
  fill(ring, 1000, 180);
  read(ring, QUANTUM_MS);
  assert(Math.abs(ring.mediaMs - (1180 - 60)) < 5);
});

test("sound that is late is dropped and counted", () => {
  const { ring, at } = playing();
  const before = ring.bufferedMs;
  ring.write(at - 100, level(1));
  assert.equal(ring.bufferedMs, before);
  assert.equal(ring.counts.lateMs, 20);
  assert(read(ring, 60).every((sample) => sample <= 0.5 + 1e-6));
});

test("of sound that overlaps only the new part is taken", () => {
  const { ring, at } = playing();
  const before = ring.bufferedMs;
  ring.write(at - 10, level(0.5));
  assert.equal(Math.round(ring.bufferedMs - before), 10);
  assert.equal(ring.counts.lateMs, 10);
});

test("a gap is as long as what is missing, fades over it, and is counted", () => {
  const { ring, at } = playing();
  ring.write(at + 100, level(0.5));
  assert.equal(ring.counts.gapMs, 100);
  fill(ring, at + 120, 40);
  const { mediaMs } = ring;
  const heard = read(ring, 200);
  const silent = heard.filter((sample) => sample === 0).length;
  assert(Math.abs(silent - 60 * 48) < 20, `${silent / 48} ms`); // 20 ms at each end fade
  assert(Math.abs(ring.mediaMs - (mediaMs + 200)) < 2); // sound may be played 1 % faster
});

/** A tone's sample at a media time, in samples. @param {number} at */
const tone = (at) => 0.5 * Math.sin((2 * Math.PI * 440 * at) / RATE);
/** @param {number} mediaMs */
const toneBlock = (mediaMs) => Float32Array.from({ length: BLOCK }, (_, i) => tone(mediaMs * 48 + i));
/** The largest step from sample to sample. @param {number[]} heard */
const step = (heard) => heard.reduce((most, s, n) => Math.max(most, n ? Math.abs(s - heard[n - 1]) : 0), 0);
const TONE_STEP = 0.5 * 2 * Math.PI * (440 / RATE);

for (const [name, missingMs] of /** @type {[string, number][]} */ ([
  ["one packet", 20],
  ["a few packets", 60],
  ["so much that it is skipped", 1200],
])) {
  test(`a tone does not click where ${name} is missing`, () => {
    for (let offset = 0; offset < 8; offset++) {
      const ring = new RingBuffer(RATE);
      const heard = [];
      let at = 0;
      for (; at < 400; at += BLOCK_MS) {
        ring.write(at, toneBlock(at));
        if (at >= 80) heard.push(...read(ring, BLOCK_MS));
      }
      heard.push(...read(ring, offset * QUANTUM_MS));
      for (at += missingMs; at < 400 + missingMs + 400; at += BLOCK_MS) {
        ring.write(at, toneBlock(at));
        heard.push(...read(ring, BLOCK_MS));
      }
      assert(step(heard) < 1.5 * TONE_STEP, `${step(heard) / TONE_STEP} at ${offset}`);
      assert.equal(ring.counts.underruns, 0);
    }
  });
}

test("a tone keeps at least 40 % of its level where one packet is missing", () => {
  const ring = new RingBuffer(RATE);
  const heard = [];
  for (let at = 0; at < 600; at += BLOCK_MS) {
    if (at !== 300) ring.write(at, toneBlock(at));
    if (at >= 80) heard.push(...read(ring, BLOCK_MS));
  }
  for (let from = 480; from + 240 <= heard.length; from += 240) {
    const peak = Math.max(...heard.slice(from, from + 240).map(Math.abs));
    assert(peak > 0.2, `${peak} at ${from / 48} ms`);
  }
});

test("a tone does not click where it is skipped", () => {
  for (let offset = 0; offset < 8; offset++) {
    const ring = new RingBuffer(RATE);
    const heard = [];
    let at = 0;
    for (; at < 400; at += BLOCK_MS) {
      ring.write(at, toneBlock(at));
      if (at >= 80) heard.push(...read(ring, BLOCK_MS));
    }
    heard.push(...read(ring, offset * QUANTUM_MS));
    for (let n = 0; n < 15; n++, at += BLOCK_MS) ring.write(at, toneBlock(at));
    heard.push(...read(ring, 100));
    assert(ring.counts.skippedMs > 100);
    assert(step(heard) < 1.7 * TONE_STEP, `${step(heard) / TONE_STEP} at ${offset}`);
  }
});

test("a gap within what is flushed stays silent", () => {
  const { ring, at } = playing();
  ring.flush(0, at + 40);
  ring.write(at + 40, level(0.5));
  const heard = read(ring, 200).slice(480);
  const loud = heard.findIndex((sample) => sample !== 0);
  assert(loud < 0 || heard.slice(0, loud).length > 48 * 60, `${loud / 48} ms`);
});

test("a millisecond more or less is rounding, not a gap", () => {
  const { ring, at } = playing();
  ring.write(at + 0.9, level(0.5));
  ring.write(at + 20 - 0.9, level(0.5));
  assert.deepEqual([ring.counts.gapMs, ring.counts.lateMs], [0, 0]);
});

test("a gap too long to wait through is skipped", () => {
  const { ring, at } = playing();
  ring.write(at + 5000, level(0.5));
  assert(ring.counts.skippedMs > 5000);
  assert.equal(ring.counts.gapMs, 0);
  fill(ring, at + 5020, 60);
  read(ring, 20);
  assert(ring.playing);
  assert(ring.mediaMs >= at + 5000 && ring.mediaMs < at + 5030);
});

test("with nothing left there is silence, counted, and the target grows", () => {
  const { ring } = playing();
  const heard = read(ring, 200);
  assert.equal(ring.playing, false);
  assert.equal(ring.counts.underruns, 1);
  assert.equal(ring.targetMs, 80);
  assert(heard.slice(-RATE / 20).every((sample) => sample === 0));
});

test("running dry fades out and does not click", () => {
  const { ring } = playing();
  const heard = read(ring, 200);
  for (let n = 1; n < heard.length; n++) assert(Math.abs(heard[n] - heard[n - 1]) < 0.05);
});

test("a tone that runs dry goes on for a while, counted, and comes back without a click", () => {
  const ring = new RingBuffer(RATE);
  let at = 1000;
  for (; at < 1060; at += BLOCK_MS) ring.write(at, toneBlock(at));
  const heard = read(ring, 100); // 60 of sound, and 40
  assert(ring.counts.concealedMs > 35 && ring.counts.concealedMs < 45, `${ring.counts.concealedMs}`);
  const beyond = heard.slice(-RATE / 50);
  assert(beyond.some((sample) => sample > 0.15) && beyond.every((sample) => Math.abs(sample) < 0.45));
  for (; at < 1300; at += BLOCK_MS) ring.write(at, toneBlock(at));
  heard.push(...read(ring, 100));
  assert(step(heard) < 1.5 * TONE_STEP, `${step(heard)}`);
  assert(heard.slice(-RATE / 50).some((sample) => sample > 0.49));
  assert(ring.counts.concealedMs < 55, "no more, once there is sound again");
});

test("running dry while it is played faster does not click", () => {
  for (const quantum of [128, 1024]) {
    for (let extra = 0; extra < 240; extra += 7) {
      const ring = new RingBuffer(RATE);
      const heard = [];
      const out = new Float32Array(quantum);
      for (let at = 1000; at < 1060; at += BLOCK_MS) ring.write(at, toneBlock(at));
      ring.read(out);
      ring.nudge(30);
      ring.write(1060, toneBlock(1060).subarray(0, 500 + extra));
      while (ring.playing) {
        ring.read(out);
        heard.push(...out);
      }
      ring.read(out);
      heard.push(...out);
      assert(step(heard.slice(960)) < 1.5 * TONE_STEP, `${quantum} ${extra}: ${step(heard.slice(960))}`);
      assert(ring.counts.concealedMs > 0);
    }
  }
});

test("what is held too much is not idle, and a fall of the target skips nothing", () => {
  const ring = new RingBuffer(RATE);
  let at = fill(ring, 0, 60);
  for (const missingMs of [200, 200, 200, 200]) {
    const was = run(ring, at, 1000);
    read(ring, missingMs + ring.bufferedMs);
    at = fill(ring, was.at, missingMs);
  }
  ({ at } = run(ring, at, 1000));
  assert.equal(ring.targetMs, MOST_TARGET_MS);
  read(ring, ring.bufferedMs - 10); // late, but not too late
  at = fill(ring, at, 400);
  const { skippedMs } = ring.counts;
  run(ring, at, 120_000);
  assert.equal(ring.counts.skippedMs, skippedMs);
  assert(ring.targetMs < 80, `${ring.targetMs}`);
});

test("silence that runs dry is silent, and not concealed", () => {
  const ring = new RingBuffer(RATE);
  run(ring, fill(ring, 0, 60, 0), 200, 0);
  read(ring, 300);
  assert.equal(ring.counts.concealedMs, 0);
  assert(ring.quiet);
});

test("a tone that runs dry is not quiet before it has died away", () => {
  const { ring } = playing();
  read(ring, ring.bufferedMs + 20);
  assert.equal(ring.playing, false);
  assert.equal(ring.quiet, false);
  read(ring, 60);
  assert(ring.quiet);
});

test("after running dry nothing is lost: play goes on where it stopped", () => {
  const { ring, at } = playing();
  read(ring, 300);
  assert(Math.abs(ring.mediaMs - at) < 1);
  fill(ring, at, 60);
  assert(read(ring, 40).every((sample) => sample === 0)); // the target is 80 now
  fill(ring, at + 60, 20);
  assert(read(ring, 40).some((sample) => sample > 0.4));
  assert.equal(ring.counts.skippedMs, 0);
});

test("the target grows with each time it runs dry, up to its limit", () => {
  const ring = new RingBuffer(RATE);
  let at = 1000;
  for (let n = 0; n < 10; n++) {
    at = fill(ring, at, 180);
    read(ring, 300);
  }
  assert(ring.targetMs >= MAX_TARGET_MS && ring.targetMs <= MOST_TARGET_MS, `${ring.targetMs}`);
});

test("while all is calm the target shrinks, down to its limit", () => {
  const ring = new RingBuffer(RATE);
  const at = fill(ring, 0, 60);
  run(ring, at, 11_000);
  assert.equal(ring.targetMs, 55);
  const longer = new RingBuffer(RATE);
  run(longer, fill(longer, 0, 60), 80_000);
  assert.equal(longer.targetMs, MIN_TARGET_MS);
  assert.equal(longer.counts.underruns, 0);
});

test("far too much is skipped down to the target and counted", () => {
  const { ring, at } = playing();
  fill(ring, at, 300);
  assert(ring.counts.skippedMs > 150);
  assert(ring.bufferedMs <= ring.targetMs + 200);
  const before = ring.counts.skippedMs;
  fill(ring, at + 300, 60);
  assert.equal(ring.counts.skippedMs, before);
});

/** How a ring fares while its sound comes this much quicker than it plays.
 * @param {number} drift @param {number} seconds */
function drifting(drift, seconds) {
  const ring = new RingBuffer(RATE);
  let at = fill(ring, 0, 60);
  const out = new Float32Array(QUANTUM);
  let arrivedMs = 0;
  let [least, most] = [Infinity, 0];
  for (let passed = 0; passed < seconds * 1000; passed += QUANTUM_MS) {
    for (; arrivedMs < passed * (1 + drift); arrivedMs += BLOCK_MS, at += BLOCK_MS) {
      ring.write(at, level(0.5));
    }
    ring.read(out);
    if (passed > 20_000) {
      [least, most] = [Math.min(least, ring.bufferedMs), Math.max(most, ring.bufferedMs)];
    }
  }
  return { ring, least, most };
}

for (const drift of [-0.003, -0.0005, 0.0005, 0.003]) {
  test(`a clock that differs by ${drift * 100} % is followed without a gap or a skip`, () => {
    const { ring, least, most } = drifting(drift, 120);
    assert.deepEqual(ring.counts, NOTHING);
    assert(least > 10 && most < ring.targetMs + 60, `${least} to ${most} ms`);
  });
}

test("after a burst it comes back to the target by playing faster, not by skipping", () => {
  const { ring, at } = playing();
  const end = fill(ring, at, 100);
  run(ring, end, 30_000);
  assert.equal(ring.counts.skippedMs, 0);
  assert(ring.bufferedMs < ring.targetMs * 1.3 + BLOCK_MS, `${ring.bufferedMs}`);
});

test("what a burst left is played off at ten ms a second, and no deeper", () => {
  const { ring, at } = playing();
  const end = fill(ring, at, 80);
  run(ring, end, 7_500);
  assert(ring.bufferedMs < ring.targetMs, `${ring.bufferedMs}`);
  assert(ring.bufferedMs > ring.targetMs / 2, `${ring.bufferedMs}`);
  assert.deepEqual(ring.counts, NOTHING);
});

test("it is played faster and slower by and by, so that no step in pitch is heard", () => {
  const { ring, at } = playing();
  let [end, speed, most, passed] = [fill(ring, at, 80), 1, 0, 0];
  const out = new Float32Array(128);
  for (let i = 0; i < 8_000; i++) {
    if ((passed += out.length) >= BLOCK_MS * 48) {
      passed -= BLOCK_MS * 48;
      end = fill(ring, end, BLOCK_MS);
    }
    const { mediaMs } = ring;
    ring.read(out);
    const now = ((ring.mediaMs - mediaMs) * 48) / out.length;
    most = Math.max(most, Math.abs(now - speed));
    speed = now;
  }
  assert(ring.targetMs < 60, "the target has fallen meanwhile");
  assert(most > 0 && most < 1e-4, `${most}`);
});

test("a flush fades to silence within ten ms, and the clock goes on", () => {
  const { ring, at } = playing();
  const { mediaMs, bufferedMs } = ring;
  ring.flush(0, at);
  assert.deepEqual([ring.mediaMs, ring.bufferedMs], [mediaMs, bufferedMs]);
  fill(ring, at, 60, 0.25); // what comes after it is new, and heard when its time has come
  const heard = read(ring, bufferedMs + 30);
  for (let n = 1; n < 480; n++) assert(Math.abs(heard[n] - heard[n - 1]) < 0.01);
  const old = heard.slice(480, (bufferedMs - 1) * 48);
  assert(old.length > 0 && old.every((sample) => sample === 0));
  assert(Math.abs(heard[heard.length - 1] - 0.25) < 1e-6);
  assert(Math.abs(ring.mediaMs - (mediaMs + bufferedMs + 30)) < 1);
  assert.equal(ring.counts.underruns, 0);
});

test("a flush spares what comes before it", () => {
  const ring = new RingBuffer(RATE);
  fill(ring, 1000, 80);
  ring.flush(1040, 1080);
  const heard = read(ring, 60); // the first 20 ms were skipped as it started
  assert(heard.slice(9 * 48, 19 * 48).every((sample) => Math.abs(sample - 0.5) < 1e-6));
  assert(heard.slice(30 * 48, 55 * 48).every((sample) => sample === 0));
});

test("what a flush names is silent even when it comes later", () => {
  const { ring, at } = playing();
  ring.flush(0, at + 20);
  fill(ring, at, 60, 0.25);
  const heard = read(ring, ring.bufferedMs - 2);
  const loud = heard.findIndex((sample, n) => n > 480 && sample !== 0);
  assert(Math.abs(heard[heard.length - 1] - 0.25) < 1e-6);
  assert(Math.abs(loud - (heard.length - 38 * 48)) < 96, `${heard.length - loud}`);
});

test("a flush of nothing does no harm", () => {
  const ring = new RingBuffer(RATE);
  ring.flush(0, 0);
  ring.flush(1e9, 0);
  assert.equal(ring.bufferedMs, 0);
  fill(ring, 0, 60);
  assert(read(ring, 20).some((sample) => sample > 0));
});

test("a reset forgets everything: another clock may begin anywhere", () => {
  const { ring } = playing();
  ring.reset();
  assert.deepEqual([ring.playing, ring.bufferedMs], [false, 0]);
  assert(read(ring, 20).every((sample) => sample === 0));
  fill(ring, 20, 60); // long before what was played
  read(ring, QUANTUM_MS);
  assert(ring.playing);
  assert(Math.abs(ring.mediaMs - 20) < 5);
  assert.equal(ring.counts.lateMs, 0);
});

test("media time beyond 2^32 ms is as good as any", () => {
  const ring = new RingBuffer(RATE);
  const from = 2 ** 32 - 100;
  fill(ring, from, 60);
  const { heard } = run(ring, from + 60, 400);
  assert(heard.slice(-BLOCK).every((sample) => Math.abs(sample - 0.5) < 1e-6));
  assert.deepEqual(ring.counts, NOTHING);
});

for (const rate of [44_100, 96_000]) {
  test(`it plays at ${rate} Hz too`, () => {
    const ring = new RingBuffer(rate);
    const block = rate / 50;
    for (let n = 0; n < 4; n++) ring.write(n * 20, level(0.5, block));
    const out = new Float32Array(QUANTUM);
    for (let n = 0; n < 1000; n++) {
      ring.write((n + 4) * 20, level(0.5, block));
      for (let left = block; left > 0; left -= QUANTUM) ring.read(out.subarray(0, Math.min(left, QUANTUM)));
    }
    assert.deepEqual(ring.counts, NOTHING);
    assert(Math.abs(out[0] - 0.5) < 1e-6);
  });
}

/** Read and feed in step on a clock, as an audio thread does. @param {RingBuffer} ring
 * @param {{at: number, clockMs: number, lagMs: number}} feed what comes next, when, and how late
 * @param {number} ms */
function play(ring, feed, ms) {
  const out = new Float32Array(QUANTUM);
  const heard = [];
  for (let n = 0; n < Math.round(ms / QUANTUM_MS); n++) {
    for (; feed.at + BLOCK_MS + feed.lagMs <= feed.clockMs; feed.at += BLOCK_MS) {
      ring.write(feed.at, level(0.5));
    }
    ring.read(out, feed.clockMs);
    heard.push(...out);
    feed.clockMs += QUANTUM_MS;
  }
  return heard;
}

test("on cue it starts exactly where it is told, and stays there", () => {
  const ring = new RingBuffer(RATE);
  const feed = { at: 4900, clockMs: 5000, lagMs: 5 };
  ring.cue(4930, 5010); // 80 ms behind the clock
  play(ring, feed, 100);
  assert(ring.playing);
  assert(Math.abs(ring.mediaMs - (feed.clockMs - 80)) < 0.1, `${ring.mediaMs}`);
  play(ring, feed, 5000);
  assert(Math.abs(ring.mediaMs - (feed.clockMs - 80)) < 0.1);
  assert.deepEqual(ring.counts, NOTHING);
});

test("a cue waits for what it names", () => {
  const ring = new RingBuffer(RATE);
  const feed = { at: 5000, clockMs: 5000, lagMs: 5 }; // the first sound is of the clock's own time
  ring.cue(4900, 5000);
  assert(play(ring, feed, 90).every((sample) => sample === 0));
  play(ring, feed, 20);
  assert(ring.playing);
  assert(Math.abs(ring.mediaMs - (feed.clockMs - 100)) < 0.1);
});

test("a cue that cannot be kept is forgotten, and play starts as usual", () => {
  const ring = new RingBuffer(RATE);
  const feed = { at: 5000, clockMs: 5000, lagMs: 150 };
  ring.cue(4990, 5000); // never here in time
  play(ring, feed, 450);
  assert(!ring.playing);
  play(ring, feed, 250);
  assert(ring.playing);
});

test("while it plays a cue is nothing", () => {
  const { ring } = playing();
  const before = ring.mediaMs;
  ring.cue(5, 0);
  read(ring, QUANTUM_MS);
  assert(Math.abs(ring.mediaMs - before - QUANTUM_MS) < 0.1);
});

for (const ms of [25, -40]) {
  test(`a nudge of ${ms} ms is played out at three per cent, to the sample`, () => {
    const ring = new RingBuffer(RATE);
    const feed = { at: 4880, clockMs: 5000, lagMs: 5 };
    ring.cue(4930, 5010);
    play(ring, feed, 200);
    ring.nudge(ms);
    play(ring, feed, 500);
    assert(Math.abs(ring.mediaMs - (feed.clockMs - 80 + Math.sign(ms) * 15)) < 0.2);
    play(ring, feed, 2500);
    assert.equal(ring.nudgeMs, 0);
    assert(Math.abs(ring.mediaMs - (feed.clockMs - 80 + ms)) < 0.1);
    assert.equal(ring.counts.underruns, 0);
  });
}

test("where nothing is to be heard a nudge is done at once", () => {
  const ring = new RingBuffer(RATE);
  for (let at = 0; at < 200; at += BLOCK_MS) ring.write(at, level(0));
  read(ring, 20);
  const before = ring.mediaMs;
  ring.nudge(30);
  read(ring, QUANTUM_MS);
  assert(Math.abs(ring.mediaMs - before - 30 - QUANTUM_MS) < 0.1);
});

test("what is not heard anyway is moved at once, as far as there is sound", () => {
  const { ring } = playing();
  const before = ring.mediaMs;
  ring.nudge(5, true);
  assert(Math.abs(ring.mediaMs - before - 5) < 0.1);
  ring.nudge(-8, true);
  assert(Math.abs(ring.mediaMs - before + 3) < 0.1);
  assert.equal(ring.nudgeMs, 0);
  ring.nudge(500, true);
  assert(Math.abs(ring.mediaMs - before + 3) < 0.1);
});

test("released, it cares for what it holds again", () => {
  const ring = new RingBuffer(RATE);
  const feed = { at: 4860, clockMs: 5000, lagMs: 5 };
  ring.cue(4850, 5010);
  play(ring, feed, 3000);
  assert(ring.bufferedMs > 120);
  ring.release();
  play(ring, feed, 15_000);
  assert(ring.bufferedMs < 90, `${ring.bufferedMs}`);
  assert.equal(ring.counts.skippedMs, 0);
});

test("running dry ends the steadiness as well", () => {
  const { ring, at } = playing();
  ring.nudge(5);
  read(ring, 300);
  assert.equal(ring.nudgeMs, 0);
  fill(ring, at, 100);
  assert(read(ring, 20).some((sample) => sample !== 0));
});
