// The one WebSocket, without a network and with a clock of our own.
import assert from "node:assert/strict";
import { beforeEach, mock, test } from "node:test";
import { Connection } from "../../static/net/connection.js";
import { listen } from "../../static/core/listen.js";

let nowMs = 0;
mock.method(performance, "now", () => nowMs);
beforeEach(() => {
  mock.timers.reset();
  mock.timers.enable({ apis: ["setTimeout", "setInterval"] });
  mock.method(Math, "random", () => 0.5);
  FakeSocket.all = [];
});

class FakeSocket {
  static OPEN = 1;
  static all = /** @type {FakeSocket[]} */ ([]);
  readyState = 0;
  sent = /** @type {any[]} */ ([]);

  /** @param {URL} url */
  constructor(url) {
    if (url.protocol === "gopher:") throw new SyntaxError("not a WebSocket");
    this.url = url;
    FakeSocket.all.push(this);
  }
  /** @param {string} text */
  send(text) {
    this.sent.push(JSON.parse(text));
  }
  close() {
    this.readyState = 3;
  }
  open() {
    this.readyState = 1;
    this.onopen();
  }
  /** @param {object} message */
  receive(message) {
    this.onmessage({ data: JSON.stringify(message) });
  }
  welcome(session = "s", resume = "r") {
    this.receive({ type: "welcome", session, resume });
  }
  /** The network, or the server, closes it. */
  cut(code = 1006, reason = "") {
    this.readyState = 3;
    this.onclose({ code, reason });
  }
}
globalThis.WebSocket = /** @type {any} */ (FakeSocket);

/** @param {number} ms */
function pass(ms) {
  for (const end = nowMs + ms; nowMs < end; ) {
    nowMs += 50;
    mock.timers.tick(50);
  }
}

/** One that was opened, and what it told. */
function opened(url = "ws://a/") {
  const connection = new Connection(
    () => url,
    (resume) => ({ type: "hello", resume }),
  );
  const downs = /** @type {any[]} */ ([]);
  listen(connection, { down: (down) => downs.push(down) });
  connection.open();
  return { connection, downs };
}

const socket = () => /** @type {FakeSocket} */ (FakeSocket.all.at(-1));

test("a welcome that is followed by a cut is no success: the waits grow", () => {
  const { downs } = opened();
  for (let n = 0; n < 6; n++) {
    socket().open();
    socket().welcome();
    pass(100);
    socket().cut();
    pass(8000);
  }
  assert.deepEqual(
    downs.map(({ retryMs }) => retryMs),
    [0, 300, 1700, 3200, 5300, 7500],
  );
});

test("a connection that has lived is opened again at once", () => {
  const { downs } = opened();
  for (const livedMs of [100, 6000]) {
    socket().open();
    socket().welcome();
    for (let n = 0; n < livedMs; n += 1000) {
      pass(1000);
      socket().welcome(); // a later one, to another hello
    }
    socket().cut();
    pass(100);
  }
  assert.deepEqual(
    downs.map(({ retryMs }) => retryMs),
    [0, 0],
  );
});

test("the token of who was here before is kept until our hello is answered", () => {
  const answers = [
    () => {},
    () => socket().welcome("s", "again"),
    () => socket().receive({ type: "pong", t: 0, media_ms: 0 }),
  ];
  const resumed = answers.map((answer) => {
    opened();
    socket().open();
    socket().welcome("s", "first");
    socket().cut();
    pass(100);
    socket().open();
    socket().welcome("s", "stranger");
    answer();
    socket().cut();
    pass(1000);
    socket().open();
    return socket().sent[0].resume;
  });
  assert.deepEqual(resumed, ["first", "again", "stranger"]);
});

test("sessions that are not found any more do not begin the waits anew", () => {
  const { downs } = opened();
  for (let n = 0; n < 4; n++) {
    socket().open();
    socket().welcome(`s${n}`);
    socket().cut();
    pass(8000);
    socket().open();
    socket().cut(4404);
    pass(100);
  }
  assert.deepEqual(
    downs.map(({ retryMs }) => retryMs),
    [0, 0, 300, 0, 1700, 0, 3200, 0],
  );
});

for (const url of ["gopher://a/", "no address"]) {
  test(`what cannot be opened, such as ${url}, is told once and stays down`, () => {
    const { connection, downs } = opened(url);
    pass(60_000);
    connection.open();
    assert.equal(downs.length, 1);
    assert.equal(downs[0].retryMs, null);
    assert.match(downs[0].reason, /not a WebSocket|Invalid URL/);
    assert.equal(FakeSocket.all.length, 0);
  });
}

test("with another network it is tried at once, and once", () => {
  const { connection } = opened();
  for (let n = 0; n < 5; n++) {
    socket().cut();
    pass(n < 4 ? 8000 : 100);
  }
  assert.equal(FakeSocket.all.length, 5, "waits");
  connection.hurry();
  connection.hurry();
  assert.equal(FakeSocket.all.length, 6);
  pass(8000);
  assert.equal(FakeSocket.all.length, 6, "nor is there another try under way");
  connection.close();
  connection.hurry();
  assert.equal(FakeSocket.all.length, 6);
});

test("another network has a socket prove itself, and soon", () => {
  const { connection } = opened();
  const first = socket();
  first.open();
  first.welcome();
  pass(1000);
  first.receive({ type: "pong", t: nowMs, media_ms: 0 });
  connection.hurry();
  assert.equal(first.sent.at(-1).type, "ping");
  first.receive({ type: "pong", t: nowMs, media_ms: 0 });
  pass(1000);
  first.receive({ type: "pong", t: nowMs, media_ms: 0 });
  pass(4000);
  assert.equal(FakeSocket.all.length, 1, "it has");
  connection.hurry();
  pass(2500);
  assert.equal(FakeSocket.all.length, 1);
  pass(1000);
  assert.equal(FakeSocket.all.length, 2, "it has not");
  pass(1000);
  connection.hurry();
  pass(4000);
  assert.equal(FakeSocket.all.length, 3, "nor is it waited for long until one is open");
});

test("it is greeted from the welcome of a socket until that is gone", () => {
  const { connection } = opened();
  const greeted = [connection.isGreeted];
  for (const step of ["open", "welcome", "cut"]) {
    /** @type {any} */ (socket())[step]();
    greeted.push(connection.isGreeted);
  }
  pass(100);
  socket().open();
  greeted.push(connection.isGreeted);
  assert.deepEqual(greeted, [false, false, true, false, false]);
});
