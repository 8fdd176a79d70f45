// What the server says of the session: once, in media time, and only what makes sense.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Inbox } from "../../static/core/inbox.js";

function inbox() {
  const made = new Inbox();
  const told = /** @type {any[]} */ ([]);
  for (const name of ["state", "caption", "transcript", "flush", "emotion", "pong", "error"]) {
    made.addEventListener(name, (event) => {
      const { atMs, untilMs } = /** @type {any} */ (event).detail;
      told.push([name, atMs, untilMs].filter((it) => it !== undefined));
    });
  }
  const receive = (/** @type {any} */ message) => {
    made.receive(message);
    return told.splice(0);
  };
  return { made, receive };
}

test("what is said of the session is told in media time, once", () => {
  const { receive } = inbox();
  const state = { type: "state", value: "speaking", at: 40 };
  assert.deepEqual(receive(state), [["state", 40]]);
  assert.deepEqual(receive(state), []);
  const flush = { type: "flush", epoch: 1, at: 80, until: 120 };
  assert.deepEqual(receive(flush), [["flush", 80, 120]]);
  const line = { type: "transcript", role: "agent", text: "Hi.", final: true, at: 160, id: "a" };
  assert.deepEqual(receive(line), [["caption", 160], ["transcript"]]);
  assert.deepEqual(receive({ ...line, role: "user" }), [["transcript"]]);
  assert.deepEqual(receive({ type: "pong", t: 1, media_ms: 2 }), [["pong"]]);
});

for (const at of ["40", null, undefined, NaN, Infinity, {}]) {
  test(`a message of no time (${JSON.stringify(at) ?? at}) is skipped, and time goes on`, () => {
    const { made, receive } = inbox();
    assert.equal(made.unwrap(20), 20);
    for (const type of ["state", "transcript", "emotion"]) {
      assert.deepEqual(receive({ type, role: "agent", value: "idle", at }), []);
    }
    assert.deepEqual(receive({ type: "flush", at: 40, until: at }), []);
    assert.equal(made.unwrap(60), 60);
    assert.deepEqual(receive({ type: "state", value: "idle", at: 80 }), [["state", 80]]);
  });
}

test("what is of no known type is skipped, whatever it is called", () => {
  const { receive } = inbox();
  for (const type of ["weather", "constructor", "toString"]) assert.deepEqual(receive({ type, at: "x" }), []);
});
