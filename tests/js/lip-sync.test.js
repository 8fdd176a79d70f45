// How long pictures are held back.
import assert from "node:assert/strict";
import { test } from "node:test";
import { LipSync } from "../../static/core/lip-sync.js";

/** A browser that does what it is told, and shows pictures so much too early on its own.
 * @param {number} earlyMs @param {() => number} noise */
function run(earlyMs, noise = () => 0) {
  const lips = new LipSync(40);
  let delayMs = 40;
  let changes = 0;
  for (let nowMs = 0; nowMs < 10_000; nowMs += 40) {
    const wanted = lips.saw(delayMs - earlyMs + noise(), nowMs);
    if (wanted === null) continue;
    delayMs = wanted;
    changes++;
  }
  return { delayMs, changes };
}

test("pictures that come early are held back", () => {
  assert.deepEqual(run(120), { delayMs: 120, changes: 1 });
});

test("pictures that come late are held back less, but never less than not", () => {
  assert.deepEqual(run(10), { delayMs: 10, changes: 1 });
  assert.equal(run(-300).delayMs, 0);
});

test("what cannot be seen is left alone", () => {
  assert.equal(run(45).changes, 0);
});

test("noise does not move it much", () => {
  let n = 0;
  const { delayMs, changes } = run(100, () => ((n = (n * 7 + 3) % 31) - 15) * 1.3);
  assert(Math.abs(delayMs - 100) < 15, `${delayMs}`);
  assert(changes < 10, `${changes}`);
});

test("one wild picture counts for nothing", () => {
  let n = 0;
  assert.equal(run(40, () => (++n % 8 === 3 ? 900 : 0)).changes, 0);
});

test("when the sound is held, so are they, and what was seen before that is forgotten", () => {
  const lips = new LipSync(40);
  for (let n = 0; n < 7; n++) assert.equal(lips.saw(-60, n * 40), null);
  assert.equal(lips.shift(50, 280), 90);
  for (let n = 8; n < 20; n++) assert.equal(lips.saw(0, n * 40), null);
  assert.equal(lips.shift(-500, 800), 0);
  assert.equal(lips.shift(5000, 900), 700);
});
