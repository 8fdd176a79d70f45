// How long the remote stream is held, and hushed, in a context whose time is ours.
import assert from "node:assert/strict";
import { test } from "node:test";

import { Mixer } from "../../static/audio/mixer.js";

/** A parameter that keeps what it was told. */
class Param {
  value = 0;
  told = /** @type {any[]} */ ([]);
  cancelScheduledValues() {
    this.told = [];
  }
  /** @param {number} value @param {number} atS */
  setValueAtTime(value, atS) {
    this.told.push(["set", value, atS]);
  }
  /** @param {number} value @param {number} atS */
  linearRampToValueAtTime(value, atS) {
    this.told.push(["ramp", value, atS]);
  }
}

/** @param {number} a @param {number} b */
const near = (a, b) => assert.ok(Math.abs(a - b) < 1e-9, `${a} is not ${b}`);

function mixer() {
  const delayTime = new Param();
  const gains = /** @type {Param[]} */ ([]);
  const node = () => ({ connect() {}, disconnect() {}, gain: new Param() });
  const gain = () => {
    const made = node();
    gains.push(made.gain);
    return made;
  };
  const context = {
    currentTime: 10,
    createGain: gain,
    createAnalyser: node,
    createDelay: () => ({ ...node(), delayTime }),
    createMediaStreamSource: node,
  };
  return { context, delayTime, gains, made: new Mixer(/** @type {any} */ (context), /** @type {any} */ ({})) };
}

test("it is held as long as it is told", () => {
  const { context, delayTime, made } = mixer();
  made.heldMs = 50;
  context.currentTime = 12;
  assert.equal(made.heldMs, 50);
  assert.deepEqual(delayTime.told, [["set", 0.05, 10]]);
});

test("it is let go by a hundredth of the time that passes, and where it is then it can be kept", () => {
  const { context, delayTime, made } = mixer();
  made.heldMs = 50;
  context.currentTime = 12;
  made.letGo();
  // From a little ahead of now, or it would begin with a jump.
  assert.deepEqual(delayTime.told, [
    ["set", 0.05, 10],
    ["set", 0.05, 12.02],
    ["ramp", 0, 17.02],
  ]);
  context.currentTime = 13;
  near(made.heldMs, 40.2);
  made.keep();
  context.currentTime = 30;
  near(made.heldMs, 40);
  const [[, fromS, sinceS], [, toS, atS]] = delayTime.told;
  assert.deepEqual([fromS, sinceS], [0.05, 12.02]);
  near(toS, 0.04);
  near(atS, 13.02);
  made.keep();
  assert.equal(delayTime.told.length, 2);
});

test("all of it gone, nothing is held", () => {
  const { context, made } = mixer();
  made.heldMs = 50;
  made.letGo();
  context.currentTime = 100;
  assert.equal(made.heldMs, 0);
});

test("kept when it is gone, or gone before that could be heard, it is let go to its end", () => {
  // It is let go from 10.02 to 15.02, and what is kept is kept from a little ahead of now.
  for (const nowS of [15.01, 15.03, 100]) {
    const { context, delayTime, made } = mixer();
    made.heldMs = 50;
    made.letGo();
    const told = [...delayTime.told];
    context.currentTime = nowS;
    made.keep();
    // Another ramp from where it began would be at another place by now: a jump.
    assert.deepEqual(delayTime.told, told);
    assert.equal(made.heldMs, 0);
  }
});

test("the next stream is not held", () => {
  const { made } = mixer();
  made.heldMs = 50;
  made.attach(/** @type {any} */ ({}));
  assert.equal(made.heldMs, 0);
});

test("an interruption passes unheard, whichever is heard and however it is held", () => {
  const { context, gains, made } = mixer();
  made.hush(150);
  const hushed = gains.filter(({ told }) => told.length > 0);
  assert.equal(hushed.length, 1);
  assert.deepEqual(hushed[0].told, [
    ["set", 1, 10],
    ["ramp", 0, 10.01],
    ["set", 0, 10.15],
    ["ramp", 1, 10.16],
  ]);
  context.currentTime = 10.1;
  made.hush(60_000);
  assert.deepEqual(hushed[0].told.at(-1), ["ramp", 1, 11.11]); // no longer than a second
});

test("what has passed already is not waited for", () => {
  const { gains, made } = mixer();
  for (const ms of [-20, 0, NaN]) made.hush(ms);
  assert.ok(gains.every(({ told }) => told.length === 0));
});
