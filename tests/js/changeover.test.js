// The two sounds are one when they cross: brought together by what is heard of them, where it tells.
import assert from "node:assert/strict";
import { test } from "node:test";

import { Call } from "./fake-call.js";

/** A call that has gone up, and its crossing. @param {number} apartMs */
function up(apartMs) {
  const call = new Call();
  call.apartMs = apartMs;
  call.run(100);
  call.deliver();
  const tookMs = call.until(({ gains }) => gains.webrtc === 1, 5000);
  return { call, tookMs };
}

test("on the way up the ring is brought to the peer's place, and only then crossed", () => {
  const { call, tookMs } = up(3);
  assert.deepEqual(call.fades, [0]);
  assert.ok(tookMs < 2000, `${tookMs}`);
});

test("a peer that is ahead is held, and let go once it is heard; the ring goes on as it was", () => {
  const { call } = up(30);
  assert.deepEqual([call.fades, call.nudges, call.heldMs], [[0], [], 30]);
  call.run(500);
  assert.equal(call.heldMs, 0);
});

test("the ring waits for a peer that is behind", () => {
  const { call } = up(-30);
  assert.deepEqual([call.fades, call.nudges, call.heldMs], [[0], [-30], 0]);
});

test("what was held too long is held less, before the ring has to wait", () => {
  const call = new Call();
  call.apartMs = 30;
  call.run(100);
  call.deliver();
  call.until(({ heldMs }) => heldMs === 30, 3000);
  call.apartMs = -40; // the browser holds more
  call.until(({ gains }) => gains.webrtc === 1, 5000);
  assert.deepEqual([call.fades, call.nudges, call.heldMs], [[0], [-10], 0]);
});

test("the pictures are held with their sound", () => {
  const [held, free] = [up(30), up(0)].map(({ call }) => call.peer?.pictureDelayMs ?? NaN);
  assert.equal(held - free, 30);
});

test("on the way back the peer's sound keeps its place", () => {
  const { call } = up(30);
  call.run(1000);
  assert.equal(call.kept, 0);
  call.upgrade.wanted = "ws";
  call.run(50);
  assert.equal(call.kept, 1);
});

test("what is in place already is not moved, and sooner crossed", () => {
  const { call, tookMs } = up(0.05);
  assert.deepEqual(call.fades, [0.05]);
  assert.ok(tookMs < up(3).tookMs);
});

test("where nothing is to be heard the clocks decide", () => {
  const { call } = up(NaN);
  assert.equal(call.fades.length, 1);
});

test("what is never steady is crossed all the same", () => {
  const call = new Call();
  call.run(100);
  call.deliver();
  let n = 0;
  for (let i = 0; i < 150 && !call.gains.webrtc; i++) {
    call.apartMs = n++ % 2 ? 4 : -4;
    call.run(50);
  }
  assert.equal(call.gains.webrtc, 1);
});

test("in doubt there is less time for it, and what is never steady is crossed all the same", () => {
  const { call } = up(0);
  call.run(1000);
  const peer = /** @type {any} */ (call.peer);
  peer.flows = { sound: false, pictures: false };
  call.until(({ gains }) => gains.ws === 1, 5000);
  peer.flows = { sound: true, pictures: true };
  let n = 0;
  for (let i = 0; i < 120 && !call.gains.webrtc; i++) {
    call.apartMs = n++ % 2 ? 4 : -4;
    call.run(50);
  }
  call.run(1000);
  assert.equal(call.gains.webrtc, 1);
  assert.deepEqual([call.upgrade.state, call.peers.length], ["webrtc", 1]);
});

test("on the way back the ring is moved while nobody hears it", () => {
  const { call } = up(0);
  call.run(1000);
  call.apartMs = -4;
  call.upgrade.wanted = "ws";
  const tookMs = call.until(({ gains }) => gains.ws === 1, 2000);
  assert.deepEqual(call.fades, [0, 0]);
  assert.ok(tookMs < 800, `${tookMs}`);
});

test("where the browser moves its sound meanwhile, the ring is moved once more", () => {
  const { call } = up(0);
  call.run(1000);
  call.apartMs = -4;
  call.upgrade.wanted = "ws";
  call.until(({ nudges }) => nudges.length > 0, 2000);
  call.apartMs = 11;
  call.until(({ gains }) => gains.ws === 1, 2000);
  assert.deepEqual(call.nudges, [-4, 11]);
  assert.deepEqual(call.fades, [0, 0]);
});

test("a peer that is broken is not waited for", () => {
  const { call } = up(0);
  call.run(1000);
  call.apartMs = -4;
  /** @type {any} */ (call.peer).flows = { sound: false, pictures: false };
  call.until(({ gains }) => gains.ws === 1, 5000);
  assert.deepEqual(call.fades, [0, -4]);
});

test("what is heard is not undone by clocks that are wrong", () => {
  const call = new Call();
  [call.apartMs, call.clockOffMs] = [-9, 0];
  call.run(100);
  call.deliver();
  call.until(({ nudges }) => nudges.length > 0, 3000);
  const heard = call.apartMs;
  call.apartMs = NaN; // a pause between two words
  call.run(400);
  call.apartMs = heard;
  call.until(({ gains }) => gains.webrtc === 1, 5000);
  assert.deepEqual(call.nudges, [-9]);
  assert.deepEqual(call.fades, [0]);
});

test("an interruption is hushed until what the peer sent before has been played", () => {
  const { call } = up(30);
  call.stage.hush(call.nowMs + 40, call.nowMs);
  call.run(1000); // what was held is let go
  call.stage.hush(call.nowMs + 40, call.nowMs);
  assert.deepEqual(call.hushedMs, [40 + 126 + 30, 40 + 126]);
});

test("without a peer there is nothing to hush", () => {
  const call = new Call();
  call.stage.hush(call.nowMs + 40, call.nowMs);
  assert.deepEqual(call.hushedMs, []);
});
