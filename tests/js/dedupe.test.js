// What comes both by the socket and by the data channel is obeyed once.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Dedupe } from "../../static/core/dedupe.js";

const line = { type: "transcript", id: "say-1.0", role: "agent", text: "Hi.", final: true, at: 40 };

test("the second copy is dropped, whatever the order of its fields", () => {
  const dedupe = new Dedupe();
  assert(dedupe.isNew({ ...line }));
  assert(!dedupe.isNew(Object.fromEntries(Object.entries(line).reverse())));
  assert.equal(dedupe.dropped, 1);
});

test("each kind that comes twice is known", () => {
  const dedupe = new Dedupe();
  for (const message of [
    line,
    { type: "state", value: "idle", at: 3 },
    { type: "emotion", value: "joy", at: 3 },
    { type: "flush", epoch: 1, at: 3 },
  ]) {
    assert(dedupe.isNew(message));
    assert(!dedupe.isNew({ ...message }), message.type);
  }
});

test("what differs in anything is no copy", () => {
  const dedupe = new Dedupe();
  assert(dedupe.isNew(line));
  assert(dedupe.isNew({ ...line, text: "Hi!" }));
  assert(dedupe.isNew({ type: "state", value: "idle", at: 3 }));
  assert(dedupe.isNew({ type: "state", value: "idle", at: 4 }));
});

test("an error is told each time", () => {
  const dedupe = new Dedupe();
  const error = { type: "error", code: "x", message: "y", fatal: false };
  assert(dedupe.isNew(error) && dedupe.isNew(error));
});

test("it forgets the oldest, and everything when told to", () => {
  const dedupe = new Dedupe();
  for (let at = 0; at < 1000; at++) dedupe.isNew({ type: "state", value: "idle", at });
  assert(dedupe.isNew({ type: "state", value: "idle", at: 0 }));
  assert(!dedupe.isNew({ type: "state", value: "idle", at: 999 }));
  dedupe.reset();
  assert(dedupe.isNew({ type: "state", value: "idle", at: 999 }));
});
