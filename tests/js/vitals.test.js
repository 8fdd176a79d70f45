// Whether a peer's media still come.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Vitals } from "../../static/core/vitals.js";

/** Looked at each 50 ms up to `nowMs`; sound and pictures came until then.
 * @param {number} nowMs @param {number} heardAtMs @param {number} seenAtMs */
function after(nowMs, heardAtMs, seenAtMs, visible = true) {
  const vitals = new Vitals();
  for (let t = 0; t <= nowMs; t += 50) {
    const peer = { heardAtMs: Math.min(t, heardAtMs), seenAtMs: Math.min(t, seenAtMs) };
    vitals.look(peer, t, visible);
  }
  return vitals;
}

test("both missing for a second and a half is a stall", () => {
  assert(!after(2400, 1000, 1000).isStalled(2400));
  assert(after(2600, 1000, 1000).isStalled(2600));
});

test("a still face with sound is none, for long", () => {
  assert(!after(4000, 4000, 0).isStalled(4000));
  assert(after(7000, 7000, 1000).isStalled(7000));
});

test("in a page that is not seen pictures may be missing for ever", () => {
  assert(!after(60_000, 60_000, 0, false).isStalled(60_000));
  assert(after(60_000, 0, 0, false).isStalled(60_000));
});

test("it is counted how long all was good", () => {
  assert.equal(after(3000, 3000, 3000).goodMs(3000), 3000);
  const bad = after(3000, 2000, 3000);
  assert.deepEqual([bad.isGood, bad.goodMs(3000)], [false, 0]);
});

test("seconds behind for seconds is late; once in time is enough to begin anew", () => {
  const vitals = new Vitals();
  for (let t = 0; t <= 10_000; t += 50) {
    const behindMs = t === 5000 ? 200 : 3000;
    vitals.look({ heardAtMs: t, seenAtMs: t }, t, true, behindMs);
    assert.equal(vitals.isLate(t), (t > 3000 && t < 5000) || t > 8000, `${t}`);
  }
});

test("a page that was frozen does not count the time in which it saw nothing", () => {
  const vitals = new Vitals();
  vitals.look({ heardAtMs: 0, seenAtMs: 0 }, 0, true, 0);
  for (let t = 60_000; t < 63_000; t += 50) {
    vitals.look({ heardAtMs: t, seenAtMs: t }, t, true, 3000);
    assert.equal(vitals.isLate(t), false, `${t}`);
  }
});

test("doubt starts the count anew", () => {
  const vitals = after(3000, 3000, 3000);
  vitals.doubt();
  assert.deepEqual([vitals.isGood, vitals.goodMs(3000)], [true, 0]);
  vitals.look({ heardAtMs: 3050, seenAtMs: 3050 }, 3050, true);
  assert.equal(vitals.goodMs(3550), 500);
});

test("without a peer nothing is good", () => {
  const vitals = after(3000, 3000, 3000);
  vitals.look(null, 3050, true);
  assert(vitals.isStalled(3050) && !vitals.sounds(3050) && !vitals.hasSeen);
});
