// How far two sources of one sound are apart: found to a fraction of a sample, or not at all.
import assert from "node:assert/strict";
import { test } from "node:test";

import { lagBetween } from "../../static/audio/alignment.js";

const LENGTH = 4096;
const MOST = 576; // 12 ms at 48 kHz

/** Noise as speech has it, more of it low than high; always the same. @param {number} count */
function speech(count) {
  let seed = 1;
  let [slow, slower] = [0, 0];
  return Float64Array.from({ length: count }, () => {
    seed = (seed * 16807) % 2147483647;
    slow += (seed / 2147483647 - 0.5 - slow) * 0.2;
    slower += (slow - slower) * 0.2;
    return slower;
  });
}

/** What is heard of a sound from a place on. @param {(place: number) => number} at
 * @param {number} from */
const heard = (at, from) => Float32Array.from({ length: LENGTH }, (_, i) => at(from + i));

const noise = speech(LENGTH + 2000);
const talk = (/** @type {number} */ place) => {
  const whole = Math.floor(place);
  return noise[whole] + (noise[whole + 1] - noise[whole]) * (place - whole);
};
const tone = (/** @type {number} */ place) => 0.1 * Math.sin((2 * Math.PI * 440 * place) / 48000);

for (const lag of [0, 0.5, -3, 17.25, 240, -500]) {
  test(`speech that is ${lag} samples ahead is found`, () => {
    const found = lagBetween(heard(talk, 1000), heard(talk, 1000 + lag), MOST, 0);
    assert.ok(Math.abs(found - lag) < 0.3, `${found}`);
  });
}

test("of a tone's many places the one that is expected is taken", () => {
  const period = 48000 / 440;
  for (const near of [-2, -1, 0, 1, 2]) {
    const found = lagBetween(heard(tone, 0), heard(tone, 20), MOST, 20 + near * period + 15);
    assert.ok(Math.abs(found - 20 - near * period) < 0.3, `${found}`);
  }
});

test("another loudness, and a little noise, do not matter", () => {
  const ahead = heard((place) => 0.3 * talk(place) + 0.001 * Math.sin(place * place), 1100);
  assert.ok(Math.abs(lagBetween(heard(talk, 1000), ahead, MOST, 0) - 100) < 0.5);
});

test("what only began to play is found by the part that plays", () => {
  const begun = heard(talk, 1000).fill(0, 0, LENGTH / 2);
  assert.ok(Math.abs(lagBetween(begun, heard(talk, 1040), MOST, 0) - 40) < 0.5);
});

test("silence tells nothing, nor does another sound, nor one that is too far away", () => {
  const silence = new Float32Array(LENGTH);
  assert.ok(Number.isNaN(lagBetween(silence, heard(talk, 1000), MOST, 0)));
  assert.ok(Number.isNaN(lagBetween(heard(talk, 1000), silence, MOST, 0)));
  assert.ok(Number.isNaN(lagBetween(heard(talk, 0), heard(tone, 0), MOST, 0)));
  assert.ok(Number.isNaN(lagBetween(heard(talk, 0), heard(talk, 1500), 200, 0)));
});
