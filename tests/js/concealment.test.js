// What is heard where sound has run out.
import assert from "node:assert/strict";
import { test } from "node:test";

import { Concealment } from "../../static/audio/concealment.js";

const RATE = 48_000;
const MS = RATE / 1000;

/** A voice, nearly: harmonics of one pitch. @param {number} hz */
const voice = (hz) => (/** @type {number} */ at) =>
  [1, 2, 3, 4].reduce((sum, n) => sum + (0.3 / n) * Math.sin((2 * Math.PI * hz * n * at) / RATE + n), 0);

/** Sound up to sample 0, and what is heard after it. @param {(at: number) => number} sound */
function after(sound, ms = 80, concealment = new Concealment(RATE)) {
  const wants = concealment.wants;
  concealment.begin(Float32Array.from({ length: wants }, (_, i) => sound(i - wants)));
  const out = new Float32Array(ms * MS);
  const heard = concealment.add(out);
  return { out, heard };
}

/** The largest step from sample to sample. @param {Iterable<number>} heard */
function step(heard) {
  const all = [...heard];
  return all.reduce((most, s, n) => Math.max(most, n ? Math.abs(s - all[n - 1]) : 0), 0);
}

for (const hz of [85, 120, 217.3, 390, 440, 1000]) {
  test(`a voice of ${hz} Hz goes on as it was`, () => {
    const sound = voice(hz);
    const { out } = after(sound);
    const error = Math.max(...Array.from(out.subarray(0, 10 * MS), (s, i) => Math.abs(s - sound(i))));
    assert.ok(error < 0.1, `${error}`);
  });

  test(`it does not click at ${hz} Hz`, () => {
    const sound = voice(hz);
    const before = Array.from({ length: RATE / 10 }, (_, i) => sound(i - RATE / 10));
    const { out } = after(sound);
    assert.ok(step([...before, ...out]) < 1.3 * step(before), `${step([...before, ...out])}`);
  });
}

test("it dies away in 60 ms, and says how much it was", () => {
  const { out, heard } = after(voice(200));
  assert.equal(heard, 60 * MS);
  const peak = (/** @type {number} */ from, /** @type {number} */ to) =>
    Math.max(...out.subarray(from * MS, to * MS).map(Math.abs));
  assert.ok(peak(50, 60) < 0.25 * peak(0, 10));
  assert.equal(peak(60, 80), 0);
});

test("silence goes on as silence, and so does what never was", () => {
  assert.ok(after(() => 0).out.every((sample) => sample === 0));
  const out = new Float32Array(100);
  assert.equal(new Concealment(RATE).add(out), 0);
});

test("noise and a step end without a click", () => {
  let seed = 1;
  const noise = () => ((seed = (seed * 16807) % 2147483647) / 2147483647 - 0.5) * 0.4;
  for (const sound of [noise, () => 0.5, (/** @type {number} */ at) => (at < -200 ? 0 : 0.5)]) {
    const { out } = after(sound);
    assert.ok(Math.max(...out.map(Math.abs)) <= 0.81);
    assert.ok(out.every(Number.isFinite));
    assert.ok(Math.abs(out[out.length - 1]) === 0);
  }
});

test("it gives way to other sound within 8 ms", () => {
  const concealment = new Concealment(RATE);
  const { out } = after(voice(200), 20, concealment);
  concealment.end();
  const rest = new Float32Array(20 * MS);
  assert.equal(concealment.add(rest), Math.round(8 * MS * 0.8));
  assert.ok(step([...out, ...rest]) < 0.1);
  concealment.end();
  assert.equal(concealment.add(rest), 0);
});

test("it begins where a block has sound already", () => {
  const concealment = new Concealment(RATE);
  after(voice(200), 0, concealment);
  const out = new Float32Array(128).fill(1);
  assert.equal(concealment.add(out, 100), 28);
  assert.ok(out.subarray(0, 100).every((sample) => sample === 1));
});
