// The table, against the vectors that the server's twin is held to as well.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  AUDIBLE,
  CARRIES,
  DEADLINES_S,
  failure,
  MediaPath,
  PINNED,
  TABLE,
} from "../../static/core/states.js";

const vectors = JSON.parse(
  readFileSync(new URL("../vectors/states.json", import.meta.url), "utf-8"),
);

test("the table is the server's", () => {
  assert.deepEqual(TABLE, vectors.table);
  assert.deepEqual(DEADLINES_S, vectors.deadlines_s);
  assert.deepEqual(AUDIBLE, vectors.audible);
  for (const [state, carried] of Object.entries(vectors.carries)) {
    assert.deepEqual([...CARRIES[/** @type {any} */ (state)]].sort(), [...carried].sort());
  }
});

test("what is heard is carried", () => {
  for (const [state, audible] of Object.entries(AUDIBLE)) {
    if (audible) assert(CARRIES[/** @type {any} */ (state)].includes(audible), state);
    else assert.deepEqual(CARRIES[/** @type {any} */ (state)], []);
  }
});

test("an event that a state does not list changes nothing", () => {
  const path = new MediaPath();
  assert.deepEqual(path.handle("switched", 0), { moved: false, failure: null });
  assert.equal(path.state, "ws");
});

test("up, in doubt, and up again", () => {
  const path = new MediaPath();
  for (const [event, state, transport] of /** @type {any[]} */ ([
    ["offered", "probing", "ws"],
    ["switched", "webrtc", "webrtc"],
    ["doubted", "hedge", "ws"],
    ["switched", "webrtc", "webrtc"],
  ])) {
    assert(path.handle(event, 0).moved);
    assert.deepEqual([path.state, path.transport], [state, transport]);
  }
});

test("a state that may not last has a deadline", () => {
  const path = new MediaPath();
  assert.equal(path.overdue(1e9), false);
  path.handle("offered", 1000);
  assert.equal(path.overdue(10_999), false);
  assert.equal(path.overdue(11_000), true);
  path.handle("switched", 2000);
  assert.equal(path.overdue(1e9), false);
});

test("failures are of the connecting, of the transit, or none", () => {
  assert.equal(failure("probing", "failed"), "connect");
  assert.equal(failure("probing", "deadline"), "connect");
  assert.equal(failure("webrtc", "failed"), "transit");
  assert.equal(failure("hedge", "failed"), "transit");
  assert.equal(failure("hedge", "deadline"), "transit");
  assert.equal(failure("webrtc", "reverted"), null);
  assert.equal(failure("ws", "lost"), null);
});

test("going back because somebody wants to is no failure", () => {
  const path = new MediaPath();
  path.handle("offered", 0);
  path.handle("switched", 0);
  path.handle("reverted", 0, PINNED);
  assert.deepEqual(path.handle("failed", 0, "closed"), { moved: true, failure: null });
});
