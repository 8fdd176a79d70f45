// The way to WebRTC and back, whatever happens: a walk by chance.
import assert from "node:assert/strict";
import { test } from "node:test";
import { CARRIES } from "../../static/core/states.js";
import { Call } from "./fake-call.js";

/** @param {Call} call */
const presented = (call) => [call.top, call.gains.ws ? "ws" : "webrtc"];

/** A generator of chance that can be repeated. @param {number} seed */
function chance(seed) {
  return () => {
    seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
    return seed / 2 ** 32;
  };
}

const EVENTS = /** @type {Record<string, (call: Call, random: () => number) => void>} */ ({
  time: (call, random) => call.run(random() * 3000),
  answer: (call) => call.deliver(),
  stall: (call) => call.peer && (call.peer.flows = { sound: false, pictures: false }),
  half: (call) => call.peer && (call.peer.flows.pictures = false),
  flow: (call) => call.peer && (call.peer.flows = { sound: true, pictures: true }),
  disconnect: (call) => call.peer?.state === "connected" && (call.peer.state = "disconnected"),
  connect: (call) => call.peer?.state === "disconnected" && (call.peer.state = "connected"),
  fail: (call) => call.peer && !call.peer.closed && (call.peer.state = "failed"),
  lose: (call) => call.isOpen && call.loseSocket(),
  back: (call, random) => !call.isOpen && call.comeBack(random() < 0.7),
  ws: (call) => (call.upgrade.wanted = "ws"),
  webrtc: (call) => (call.upgrade.wanted = "webrtc"),
  auto: (call) => (call.upgrade.wanted = "auto"),
  online: (call) => call.upgrade.online(),
  hide: (call) => (call.visible = false),
  show: (call) => (call.visible = true),
  doubt: (call) => call.serverEvent("doubted"),
  give_up: (call) => call.serverEvent("failed"),
  broken: (call) => (call.broken = call.broken ? "" : "no peers here"),
  token: (call) => (call.token = !call.token),
  udp: (call) => (call.udp = !call.udp),
});

test("whatever happens in whatever order, one source is heard, and what is shown is fed", () => {
  for (let seed = 1; seed <= 300; seed++) {
    const random = chance(seed);
    const call = new Call();
    const history = /** @type {string[]} */ ([]);
    const check = () => {
      const told = `seed ${seed}: ${history.join(" ")}`;
      assert.equal(call.gains.ws + call.gains.webrtc, 1, told);
      if (call.isOpen) assert(CARRIES[call.server.state].length > 0, told);
      const open = call.peers.filter(({ closed }) => !closed);
      assert(open.length <= 1, told);
      const { state } = call.upgrade;
      assert.equal(open.length === 1, !["ws", "ended"].includes(state), `${told}: ${state}`);
      if (!open.length) assert.deepEqual(presented(call), ["ws", "ws"], told);
    };
    for (let n = 0; n < 60; n++) {
      const names = Object.keys(EVENTS);
      const name = random() < 0.4 ? "time" : names[Math.floor(random() * names.length)];
      history.push(name);
      EVENTS[name](call, random);
      check();
    }
    // Left in peace with a socket, it comes to rest on something that is fed.
    if (!call.isOpen) call.comeBack();
    call.visible = true;
    call.broken = "";
    call.run(20_000, check);
    const { server, top, gains } = call;
    const told = `seed ${seed}: ${history.join(" ")}: ${server.state}, ${call.upgrade.state}`;
    assert(CARRIES[server.state].includes(/** @type {any} */ (top)), told);
    assert(CARRIES[server.state].includes(gains.ws ? "ws" : "webrtc"), told);
  }
});
