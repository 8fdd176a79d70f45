// The way to WebRTC and back, with a network and a clock of our own.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Call } from "./fake-call.js";

/** A call on WebRTC. */
function onWebrtc(options = {}) {
  const call = new Call(options);
  call.run(50);
  call.deliver();
  const tookMs = call.until(({ upgrade }) => upgrade.state === "webrtc", 2000);
  assert(tookMs < 1000, `${tookMs} ms, ${call.upgrade.state}: ${call.upgrade.reason}`);
  return call;
}

/** @param {Call} call */
const presented = (call) => [call.top, call.gains.ws ? "ws" : "webrtc"];

test("it goes to WebRTC, and says so only when that is seen and heard", () => {
  const call = onWebrtc();
  assert.deepEqual(presented(call), ["webrtc", "webrtc"]);
  const kinds = call.sent.map(({ type, to }) => (to ? `${type} ${to}` : type));
  assert.deepEqual(kinds, ["offer", "switched webrtc"]);
  assert.equal(call.upgrade.mode, "webrtc");
  assert.equal(call.upgrade.reason, "switched: cheaper and steadier");
  assert.equal(call.server.state, "webrtc");
});

test("nothing is tried before there is something to lose", () => {
  const call = new Call();
  const fresh = new Call();
  fresh.visible = false;
  fresh.run(1000);
  assert.equal(fresh.peers.length, 0, "nor in a page that is not seen");
  call.run(50);
  assert.equal(call.peers.length, 1);
});

for (const [name, options, pin, words] of /** @type {any[]} */ ([
  ["the page is pinned", {}, "ws", "pinned to WebSocket"],
  ["the agent is pinned", { webrtc: { mode: "ws" } }, "auto", "pinned to WebSocket"],
  ["the page has none", { able: false }, "auto", "WebRTC is off in this page"],
  ["the server has none", { webrtc: { enabled: false } }, "auto", "the server offers no WebRTC"],
  [
    "the server says why",
    { webrtc: { enabled: false, reason: "this agent stays on the WebSocket" } },
    "auto",
    "this agent stays on the WebSocket",
  ],
])) {
  test(`no attempt is made where ${name}`, () => {
    const call = new Call(options);
    call.upgrade.wanted = pin;
    call.run(5000);
    assert.equal(call.peers.length, 0);
    assert.deepEqual([call.upgrade.mode, call.upgrade.reason], ["ws", words]);
  });
}

test("without UDP it says so, the WebSocket plays on, and it is tried again, ever less often", () => {
  const call = new Call();
  call.udp = false;
  const triedMs = [];
  for (let n = 0; n < 2400; n++) {
    const before = call.peers.length;
    call.run(50);
    call.deliver();
    if (call.peers.length > before) triedMs.push(call.nowMs);
    assert.deepEqual(presented(call), ["ws", "ws"]);
  }
  assert(call.changes.some(({ reason }) => reason.startsWith("UDP looks blocked; next try in")));
  const waitsS = triedMs.slice(1).map((at, n) => Math.round((at - triedMs[n]) / 1000));
  assert.deepEqual(waitsS, [6, 12, 34]); // each after four seconds of trying
  assert.equal(call.upgrade.counts.connectFailures, 4);
  assert(call.peers.slice(0, -1).every(({ closed }) => closed > 0));
  call.udp = true;
  call.upgrade.online();
  call.until(() => call.peers.length > triedMs.length, 6000);
  call.run(50);
  call.deliver();
  assert(call.until(() => call.upgrade.state === "webrtc", 3000) < 1000);
});

test("that the wait for the next try gets shorter is no news, but can be asked for", () => {
  const call = new Call();
  call.broken = "no peers here";
  call.run(50);
  call.changes = [];
  call.run(1000);
  assert.deepEqual(call.changes, []);
  assert.match(call.upgrade.reason, /next try in 1 s/);
});

test("a server that does not answer is told from a network that does not carry", () => {
  const call = new Call();
  call.run(4500);
  assert.match(call.upgrade.reason, /the server did not answer the offer/);
});

test("where no peer can be made it says why, and tries again later", () => {
  const call = new Call();
  call.broken = "turn:? is no address";
  call.run(1000);
  assert.deepEqual([call.upgrade.state, call.sent, call.peers.length], ["ws", [], 0]);
  assert.match(call.upgrade.reason, /^turn:\? is no address; next try in/);
  call.broken = "";
  assert(call.until((c) => c.peers.length === 1, 5000) > 500);
});

test("connected without a picture is no proof", () => {
  const call = new Call();
  call.run(50);
  call.deliver();
  call.peers[0].flows.pictures = false;
  call.run(4500);
  assert.match(call.upgrade.reason, /WebRTC brought no picture/);
  assert.deepEqual(presented(call), ["ws", "ws"]);
});

test("a refusal ends the attempt at once", () => {
  const call = new Call();
  call.run(50);
  call.say({ type: "error", code: "bad_offer", message: "no common codec", fatal: false });
  assert.equal(call.upgrade.state, "ws");
  assert.match(call.upgrade.reason, /no common codec/);
});

test("messages of an epoch that is over are nothing", () => {
  const call = onWebrtc();
  call.say({ type: "media", transport: "ws", at: 0, epoch: 0, reason: "late" });
  call.say({ type: "answer", epoch: 7, sdp: "v=0" });
  assert.equal(call.upgrade.state, "webrtc");
});

test("a stall is noticed, and the WebSocket is back, within two seconds of the last picture", () => {
  const call = onWebrtc();
  call.run(1000);
  call.peers[0].flows = { sound: false, pictures: false };
  const tookMs = call.until((c) => presented(c).every((one) => one === "ws"), 5000);
  assert(tookMs >= 1450 && tookMs <= 1700, `${tookMs}`);
  assert.deepEqual(call.sent.at(-1), {
    type: "switched",
    epoch: 1,
    to: "ws",
    reason: "stalled",
  });
  assert.equal(call.upgrade.mode, "switching");
});

test("what recovers within the hedge is gone back to, on the same peer, uncounted", () => {
  const call = onWebrtc();
  call.peers[0].flows = { sound: false, pictures: false };
  call.until((c) => c.upgrade.state === "hedge", 3000);
  call.peers[0].flows = { sound: true, pictures: true };
  const tookMs = call.until((c) => c.upgrade.state === "webrtc", 6000);
  assert(tookMs >= 2000 && tookMs < 3500, `${tookMs}`);
  assert.deepEqual([call.peers.length, call.upgrade.counts.transitFailures], [1, 0]);
  assert.deepEqual(presented(call), ["webrtc", "webrtc"]);
});

test("what recovers far behind is not: another peer is made", () => {
  const call = onWebrtc();
  call.peers[0].flows = { sound: false, pictures: false };
  call.until((c) => c.upgrade.state === "hedge", 3000);
  call.peers[0].flows = { sound: true, pictures: true };
  call.lagMs = 1200;
  const tookMs = call.until((c) => c.upgrade.state === "ws", 6000);
  assert(tookMs >= 2000 && tookMs < 2500, `${tookMs}`);
  assert.match(call.upgrade.reason, /^WebRTC is far behind/);
  assert.deepEqual([call.peers[0].closed, call.upgrade.counts.transitFailures], [1, 1]);
  call.lagMs = 0;
  call.until((c) => c.peers.length === 2, 5000);
  call.deliver();
  assert(call.until((c) => c.upgrade.state === "webrtc", 2000) < 1000);
});

test("what does not is closed, counted, and made anew later", () => {
  const call = onWebrtc();
  call.peers[0].flows = { sound: false, pictures: false };
  call.until((c) => c.upgrade.state === "hedge", 3000);
  call.until((c) => c.upgrade.state === "ws", 6000);
  assert.equal(call.peers[0].closed, 1);
  assert.equal(call.upgrade.counts.transitFailures, 1);
  const tookMs = call.until((c) => c.peers.length === 2, 5000);
  assert(tookMs >= 1900 && tookMs <= 2200, `${tookMs}`);
  assert.equal(call.peers[1].epoch, 2);
});

test("WebRTC that is seconds behind is given up, and another is made later", () => {
  const call = onWebrtc();
  call.latencyMs = 4000;
  const tookMs = call.until((c) => presented(c).every((one) => one === "ws"), 5000);
  assert(tookMs >= 3000 && tookMs <= 3300, `${tookMs}`);
  assert.equal(call.sent.find(({ to }) => to === "ws").reason, "late");
  call.latencyMs = 100;
  assert(call.until((c) => c.upgrade.state === "ws", 1000) < 500);
  assert.match(call.upgrade.reason, /^WebRTC is far behind; next try in/);
  assert.equal(call.upgrade.counts.transitFailures, 1);
  assert.equal(call.peers[0].closed, 1);
  call.until((c) => c.peers.length === 2, 5000);
  call.deliver();
  assert(call.until((c) => c.upgrade.state === "webrtc", 2000) < 1000);
});

test("being behind for a moment, or where nobody looks, is no reason", () => {
  const call = onWebrtc();
  for (const latencyMs of [4000, 100, 4000, NaN, 4000, 100]) {
    call.latencyMs = latencyMs;
    call.run(2500);
  }
  call.visible = false;
  call.latencyMs = 4000;
  call.run(20_000);
  assert.equal(call.upgrade.state, "webrtc");
});

test("pinning goes back and forth without a failure", () => {
  const call = onWebrtc();
  call.upgrade.wanted = "ws";
  assert(call.until((c) => c.upgrade.state === "ws", 2000) < 500);
  assert.deepEqual(presented(call), ["ws", "ws"]);
  assert.equal(call.peers[0].closed, 1);
  call.run(20_000);
  assert.equal(call.peers.length, 1);
  call.upgrade.wanted = "webrtc";
  call.run(50);
  call.deliver();
  assert(call.until((c) => c.upgrade.state === "webrtc", 2000) < 1000);
  const { connectFailures, transitFailures } = call.upgrade.counts;
  assert.deepEqual([connectFailures, transitFailures], [0, 0]);
  assert.equal(call.upgrade.reason, "pinned to WebRTC");
});

for (const [when, ms] of /** @type {[string, number][]} */ ([
  ["in doubt", 500],
  ["about to be gone back to", 2200],
])) {
  test(`pinning ends a peer that is ${when}, without a failure`, () => {
    const call = onWebrtc();
    call.apartMs = 30; // so that going back takes a while
    call.peers[0].flows = { sound: false, pictures: false };
    call.until((c) => c.upgrade.state === "hedge", 3000);
    call.run(200);
    call.peers[0].flows = { sound: true, pictures: true };
    call.run(ms);
    const was = [call.upgrade.state, call.stage.goal];
    assert.deepEqual(was, ["hedge", ms > 2000 ? "webrtc" : "ws"]);
    call.upgrade.wanted = "ws";
    const heard = () => assert.deepEqual(presented(call), ["ws", "ws"]);
    call.run(1500, heard);
    const { up, transitFailures } = call.upgrade.counts;
    assert.deepEqual([call.upgrade.state, call.peers[0].closed], ["ws", 1]);
    assert.deepEqual([up, transitFailures], [1, 0]);
    assert.equal(call.server.state, "ws");
    call.upgrade.wanted = "auto";
    call.run(100);
    assert.deepEqual([call.server.state, call.peers.length], ["probing", 2], "back at once");
  });
}

test("the server's doubt is shared, and overcome when all is well", () => {
  const call = onWebrtc();
  call.serverEvent("doubted");
  assert.equal(call.upgrade.state, "hedge");
  call.run(500);
  assert.deepEqual(presented(call), ["ws", "ws"]);
  assert(call.until((c) => c.upgrade.state === "webrtc", 6000) < 4000);
  assert.equal(call.server.state, "webrtc");
});

test("without its socket a good peer plays on, and the session is resumed", () => {
  const call = onWebrtc();
  assert.equal(call.loseSocket(), true);
  call.run(5000, () => assert.deepEqual(presented(call), ["webrtc", "webrtc"]));
  assert.equal(call.upgrade.reason, "the socket is away, WebRTC carries on");
  call.comeBack();
  assert.equal(call.upgrade.state, "webrtc");
  call.run(5000);
  assert.deepEqual([call.peers.length, call.peers[0].closed], [1, 0]);
});

test("the first welcome of the new socket is no answer yet", () => {
  const call = onWebrtc();
  call.loseSocket();
  call.isOpen = true;
  call.upgrade.welcome({ ...call.welcome, resume: "another" });
  assert.equal(call.upgrade.state, "orphan");
  call.upgrade.welcome({ ...call.welcome });
  assert.equal(call.upgrade.state, "webrtc");
});

/** On WebRTC, back on a socket where we are somebody else, and told so by one welcome. */
function refused() {
  const call = onWebrtc();
  let ended = 0;
  call.upgrade.addEventListener("ended", () => ended++);
  call.loseSocket();
  call.isOpen = true;
  call.upgrade.welcome({ ...call.welcome, resume: "another" });
  return { call, ended: () => ended };
}

test("where a token is wanted the only welcome is the answer, as the next pong tells", () => {
  const { call, ended } = refused();
  assert.equal(call.upgrade.handle({ type: "pong", t: 0 }), false, "others want it too");
  assert.deepEqual([call.upgrade.state, call.peers[0].closed, ended()], ["ws", 1, 0]);
  call.run(50);
  assert.equal(call.peers.length, 2, "and tries again");
});

test("a peer that goes while the answer is under way leaves a session on the socket", () => {
  const { call, ended } = refused();
  call.peers[0].state = "failed";
  call.run(50);
  assert.deepEqual([call.upgrade.state, ended()], ["ws", 0]);
});

test("a session that is gone takes its peer with it", () => {
  const call = onWebrtc();
  call.upgrade.addEventListener("ended", () => assert.fail("there is another one"));
  call.loseSocket();
  call.comeBack(false);
  assert.deepEqual([call.upgrade.state, call.peers[0].closed], ["ws", 1]);
  call.run(100);
  assert.equal(call.peer?.epoch, 1);
});

test("with neither socket nor peer it is over, and nothing is counted", () => {
  const call = onWebrtc();
  call.loseSocket();
  let ended = 0;
  call.upgrade.addEventListener("ended", () => ended++);
  call.peers[0].flows = { sound: false, pictures: false };
  call.run(2500);
  assert.deepEqual([call.upgrade.state, ended], ["ended", 1]);
  call.comeBack();
  call.run(50);
  call.deliver();
  assert(call.until((c) => c.upgrade.state === "webrtc", 2000) < 1000, "at once");
});

test("without a socket it is over after 15 seconds", () => {
  const call = onWebrtc();
  call.loseSocket();
  const tookMs = call.until((c) => c.upgrade.state === "ended", 20_000);
  assert.equal(tookMs, 15_000);
});

test("on the WebSocket a lost socket takes the attempt with it", () => {
  const call = new Call();
  call.run(50);
  assert.equal(call.loseSocket(), false);
  assert.equal(call.peers[0].closed, 1);
});

/** What a welcome says of a TURN server. @param {string} credential */
const turn = (credential) => [{ urls: ["turn:t"], username: "u", credential }];

test("passwords that may have expired are asked for anew before an attempt", () => {
  const call = new Call({ webrtc: { ice_servers: turn("old") } });
  call.upgrade.wanted = "ws";
  call.run(3_600_000);
  assert.equal(call.greetings, 0, "not while nothing is to be tried");
  call.upgrade.wanted = "auto";
  call.run(25_000);
  assert.deepEqual([call.greetings, call.peers.length], [3, 0], "every 10 s until they come");
  const webrtc = { ...call.welcome.webrtc, ice_servers: turn("new") };
  call.upgrade.welcome({ ...call.welcome, webrtc });
  call.run(50);
  assert.equal(call.peer?.ice.iceServers[0].credential, "new");
  call.deliver();
  assert(call.until((c) => c.upgrade.state === "webrtc", 2000) < 1000);
});

test("what has no password does not expire", () => {
  const call = new Call({ webrtc: { ice_servers: [{ urls: ["stun:s"], credential: "" }] } });
  call.upgrade.wanted = "ws";
  call.run(3_600_000);
  call.upgrade.wanted = "auto";
  call.run(50);
  assert.deepEqual([call.greetings, call.peers.length], [0, 1]);
});
