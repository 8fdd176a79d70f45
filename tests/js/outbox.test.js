// By which way a message goes, with a socket and a channel of our own.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Outbox } from "../../static/net/outbox.js";

/** Where a message goes, as the two are. @param {object} how */
function outbox(how = {}) {
  const ways = { isGreeted: true, isQuiet: false, isOpen: false, ...how };
  const socket = /** @type {any[]} */ ([]);
  const channel = /** @type {any[]} */ ([]);
  const box = new Outbox(
    Object.assign(ways, { send: (/** @type {any} */ it) => void socket.push(it) }),
    (message) => ways.isOpen && channel.push(message) > 0,
  );
  return { box, ways, socket, channel };
}

const say = (n = 0) => ({ type: "say", text: "hello", id: `say-${n}` });
const INTERRUPT = { type: "interrupt" };

for (const [name, how, bySocket, byChannel] of /** @type {[string, object, number, number][]} */ ([
  ["a socket that is well", { isOpen: true }, 1, 0],
  ["a quiet socket", { isQuiet: true }, 0, 0],
  ["a quiet socket and a channel", { isQuiet: true, isOpen: true }, 0, 1],
  ["a channel alone", { isGreeted: false, isOpen: true }, 0, 1],
  ["neither", { isGreeted: false }, 0, 0],
])) {
  test(`what is said with ${name}`, () => {
    const { box, socket, channel } = outbox(how);
    assert.equal(box.send(say()), null);
    assert.deepEqual([socket.length, channel.length], [bySocket, byChannel]);
  });
}

test("what is said before there is a welcome is sent then, once and in order", () => {
  const { box, ways, socket } = outbox({ isGreeted: false });
  box.send(say(1));
  box.send(say(2));
  ways.isGreeted = true;
  box.release();
  box.release();
  assert.deepEqual(socket, [say(1), say(2)]);
});

test("so much waits and no more, and an interruption always", () => {
  const { box, ways, socket } = outbox({ isGreeted: false });
  const codes = Array.from({ length: 20 }, (_, n) => box.send(say(n)));
  assert.deepEqual([codes.indexOf("too_many"), codes.filter((code) => code).length], [16, 4]);
  assert.equal(box.send(INTERRUPT), null);
  assert.equal(box.send(say(20)), null);
  ways.isGreeted = true;
  box.release();
  assert.deepEqual(socket, [INTERRUPT, say(20)]);
});

test("what is worth nothing later does not wait, and goes by no channel", () => {
  const { box, socket, channel } = outbox({ isGreeted: false, isOpen: true });
  assert.equal(box.send({ type: "view" }), null);
  box.release();
  assert.deepEqual([socket, channel], [[{ type: "view" }], []]);
});

test("what is said to a quiet socket waits until that is heard of, or for another one", () => {
  const { box, ways, socket } = outbox({ isQuiet: true });
  box.send(say(1));
  box.release();
  assert.deepEqual(socket, [], "quiet still");
  ways.isQuiet = false;
  box.release();
  assert.deepEqual(socket, [say(1)]);
});

test("what would end the connection is not sent", () => {
  const { box, socket } = outbox();
  const text = "\u{1F600}".repeat(16_384);
  assert.equal(box.send({ type: "say", text }), "too_large");
  assert.equal(box.send({ type: "say", text: text.slice(0, 60_000 / 2) }), null);
  assert.equal(socket.length, 1);
});

test("where there will be no connection nothing waits for one", () => {
  const { box, ways, socket } = outbox({ isGreeted: false });
  box.send(say(1));
  box.close();
  assert.equal(box.send(say(2)), "closed");
  ways.isGreeted = true;
  box.release();
  assert.deepEqual(socket, []);
});
