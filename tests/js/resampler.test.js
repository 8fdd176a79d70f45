// From one rate to another, across blocks without a seam.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Resampler } from "../../static/audio/resampler.js";

/** @param {number} hz @param {number} rate @param {number} seconds */
const tone = (hz, rate, seconds = 1) =>
  Float32Array.from({ length: rate * seconds }, (_, n) => Math.sin((2 * Math.PI * hz * n) / rate));

/** @param {Float32Array} input @param {number} from @param {number} to @param {number} block */
function resampled(input, from, to, block) {
  const resampler = new Resampler(from, to);
  const out = [];
  for (let at = 0; at < input.length; at += block) {
    out.push(...resampler.push(input.subarray(at, at + block)));
  }
  return Float32Array.from(out);
}

const RATES = [
  [16_000, 48_000],
  [24_000, 48_000],
  [24_000, 44_100],
  [48_000, 44_100],
  [48_000, 96_000],
];

for (const [from, to] of RATES) {
  test(`a second stays a second: ${from} to ${to}`, () => {
    const out = resampled(tone(440, from), from, to, from / 50);
    assert(Math.abs(out.length - to) <= Math.ceil(to / from) + 1, `${out.length}`);
  });

  test(`a tone stays that tone, without seams: ${from} to ${to}`, () => {
    const out = resampled(tone(440, from), from, to, from / 50);
    for (let n = 0; n < out.length; n++) {
      const expected = Math.sin((2 * Math.PI * 440 * n) / to);
      assert(Math.abs(out[n] - expected) < 0.02, `sample ${n}: ${out[n]}, expected ${expected}`);
    }
  });

  test(`however it is cut it comes out the same: ${from} to ${to}`, () => {
    const input = tone(440, from, 0.1);
    const whole = resampled(input, from, to, input.length);
    for (const block of [1, 7, 100]) {
      const cut = resampled(input, from, to, block);
      assert.equal(cut.length, whole.length);
      for (let n = 0; n < cut.length; n++) assert(Math.abs(cut[n] - whole[n]) < 1e-5);
    }
  });
}

test("each block after the first gives as much as it lasts", () => {
  const resampler = new Resampler(24_000, 48_000);
  resampler.push(new Float32Array(480));
  for (let n = 0; n < 10; n++) assert.equal(resampler.push(new Float32Array(480)).length, 960);
});

test("over ten minutes nothing is lost or added", () => {
  const resampler = new Resampler(48_000, 44_100);
  const block = new Float32Array(960);
  let total = 0;
  for (let n = 0; n < 50 * 600; n++) total += resampler.push(block).length;
  assert(Math.abs(total - 44_100 * 600) <= 2);
});

test("the same rate passes through untouched", () => {
  const input = tone(440, 48_000, 0.02);
  assert.equal(new Resampler(48_000, 48_000).push(input), input);
});
