// How much is held: a little more or less by and by, and at once what keeps being missed.
import assert from "node:assert/strict";
import { test } from "node:test";

import { MAX_TARGET_MS, MIN_TARGET_MS, MOST_TARGET_MS, Target } from "../../static/audio/target.js";

/** So long it is calm, and next to nothing is left each time. @param {Target} target @param {number} ms */
function play(target, ms, heldMs = 20) {
  for (let passed = 0; passed < ms; passed += 20) target.played(20, heldMs);
}

/** It runs dry, for so long. @param {Target} target @param {number} ms */
function gap(target, ms) {
  target.ranDry();
  target.waited(ms);
  target.resumed();
}

test("one gap, however long, is no reason to hold much more", () => {
  for (const ms of [30, 150, 3000]) {
    const target = new Target();
    play(target, 60_000);
    const before = target.ms;
    gap(target, ms);
    assert.equal(target.ms, before + 20);
  }
});

test("gaps that come again are bridged from then on", () => {
  const target = new Target();
  play(target, 60_000);
  gap(target, 150);
  play(target, 5000);
  const before = target.ms;
  gap(target, 150);
  assert.ok(target.ms >= before + 150, `${target.ms}`);
  assert.ok(target.ms <= MOST_TARGET_MS);
  gap(target, 230);
  assert.equal(target.ms, MOST_TARGET_MS);
});

test("gaps that are too long to be bridged are not waited for", () => {
  const target = new Target();
  for (let n = 0; n < 5; n++) {
    gap(target, MOST_TARGET_MS + 10);
    play(target, 1000);
  }
  assert.equal(target.ms, MAX_TARGET_MS);
});

test("it never passes its limits, and comes back when all is calm", () => {
  const target = new Target();
  for (let n = 0; n < 50; n++) {
    gap(target, 70);
    play(target, 500);
    assert.ok(target.ms <= MOST_TARGET_MS);
  }
  assert.ok(target.ms > MAX_TARGET_MS);
  play(target, 600_000);
  assert.equal(target.ms, MIN_TARGET_MS);
});

test("of what lay idle half is let go, after twenty seconds, bit by bit", () => {
  const target = new Target();
  for (let n = 0; n < 50; n++) gap(target, 70);
  assert.equal(target.ms, MOST_TARGET_MS);
  play(target, 10_000, 200);
  assert.equal(target.ms, MOST_TARGET_MS - 5);
  play(target, 10_000, 200);
  assert.equal(target.ms, MOST_TARGET_MS - 5 - 60);
  play(target, 10_000, 140);
  play(target, 20, 30); // a delay that needed nearly all of it
  const before = target.ms;
  play(target, 19_980, 140);
  assert.equal(target.ms, before - 10);
});
