// How long the remote stream is held, in a context whose time is ours.
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

function mixer() {
  const delayTime = new Param();
  const node = () => ({ connect() {}, disconnect() {}, gain: new Param() });
  const context = {
    currentTime: 10,
    createGain: node,
    createAnalyser: node,
    createDelay: () => ({ ...node(), delayTime }),
    createMediaStreamSource: node,
  };
  return { context, delayTime, made: new Mixer(/** @type {any} */ (context), /** @type {any} */ ({})) };
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
  assert.deepEqual(delayTime.told, [
    ["set", 0.05, 12],
    ["ramp", 0, 17],
  ]);
  context.currentTime = 13;
  assert.equal(made.heldMs, 40);
  made.keep();
  context.currentTime = 30;
  assert.equal(made.heldMs, 40);
  assert.deepEqual(delayTime.told, [["set", 0.04, 13]]);
});

test("all of it gone, nothing is held", () => {
  const { context, made } = mixer();
  made.heldMs = 50;
  made.letGo();
  context.currentTime = 100;
  assert.equal(made.heldMs, 0);
});

test("the next stream is not held", () => {
  const { made } = mixer();
  made.heldMs = 50;
  made.attach(/** @type {any} */ ({}));
  assert.equal(made.heldMs, 0);
});
