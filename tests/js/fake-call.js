// A call without a browser and without a network: the real controller and changeover, a server that
// follows the same table, and a peer, a screen and an output that do as they are told. Time is ours.
import { Changeover } from "../../static/changeover.js";
import { CARRIES, MediaPath } from "../../static/core/states.js";
import { Upgrade } from "../../static/net/upgrade.js";

const TICK_MS = 50;

class FakePeer extends EventTarget {
  state = "new";
  heardAtMs = -Infinity;
  seenAtMs = -Infinity;
  stream = /** @type {any} */ ({});
  soundDelayMs = 0;
  pictureDelayMs = 0;
  hasClock = false;
  bytes = {};
  closed = 0;
  /** What it was made with. */
  ice = /** @type {any} */ (null);
  /** What the network does to it. */
  flows = { sound: true, pictures: true };

  /** @param {Call} call @param {number} epoch */
  constructor(call, epoch) {
    super();
    this.call = call;
    this.epoch = epoch;
  }
  async offer() {
    this.dispatchEvent(
      new CustomEvent("signal", { detail: { type: "offer", epoch: this.epoch, sdp: "v=0" } }),
    );
  }
  async answer() {}
  async candidate() {}
  set origins(_) {
    this.hasClock = true;
  }
  pictureMs() {
    return this.call.nowMs;
  }
  soundPlace() {
    return { mediaMs: this.call.nowMs - 100, atMs: this.call.nowMs };
  }
  look() {}
  close() {
    if (this.closed++) return;
    this.state = "closed";
    this.call.peerClosed(this.epoch);
  }
}

export class Call {
  nowMs = 1000;
  isOpen = true;
  visible = true;
  /** How much older the peer's pictures are than the socket's. */
  lagMs = 0;
  /** Of what is presented. */
  latencyMs = 100;
  /** Whether a peer comes to be at all. */
  udp = true;
  /** Whether a token is wanted: then only `hello` is answered by a welcome. */
  token = false;
  /** Why no peer can be made. */
  broken = "";
  sent = /** @type {any[]} */ ([]);
  peers = /** @type {FakePeer[]} */ ([]);
  server = new MediaPath();
  /** Of each source; what is heard is where it is 1. */
  gains = { ws: 1, webrtc: 0 };
  top = "ws";
  parked = false;
  /** By how much the peer's sound is ahead of the ring's, where that can be heard. */
  apartMs = NaN;
  /** What the clocks say that it is ahead, without being so. */
  clockOffMs = 0;
  /** How long the peer's sound is held, and how often it was to keep its place. */
  heldMs = 0;
  kept = 0;
  /** By how much the ring was moved, each time. */
  nudges = /** @type {number[]} */ ([]);
  /** For how long the peer's sound was hushed, each time. */
  hushedMs = /** @type {number[]} */ ([]);
  /** How far apart the two sounds were at each crossing. */
  fades = /** @type {number[]} */ ([]);
  changes = /** @type {any[]} */ ([]);
  /** How often `hello` was said anew. */
  greetings = 0;
  /** The server's answer, under way. @type {(() => void) | undefined} */
  pending;
  #wanted = "ws";
  #attached = /** @type {FakePeer | null} */ (null);
  #rendered = 0;
  #ringPlays = true;
  #heard = /** @type {{mediaMs: number | null, atMs: number} | null} */ (null);

  constructor({ webrtc = {}, able = true } = {}) {
    const self = this;
    const output = {
      mixer: {
        get audible() {
          return self.gains.ws ? "ws" : "webrtc";
        },
        settled: true,
        get heldMs() {
          return self.heldMs;
        },
        set heldMs(ms) {
          self.#ahead(self.heldMs - ms);
          self.heldMs = ms;
        },
        keep: () => void self.kept++,
        letGo: () => void (self.heldMs = 0),
        apartMs: () => self.apartMs,
        fade: (/** @type {"ws" | "webrtc"} */ to) => {
          self.fades.push(self.apartMs);
          self.gains = { ws: Number(to === "ws"), webrtc: Number(to === "webrtc") };
        },
        hush: (/** @type {number} */ ms) => void self.hushedMs.push(ms),
        attach: (/** @type {any} */ stream) => void stream,
        detach() {},
      },
      locked: false,
      delayMs: 0,
      park: () => void ((self.parked = true), (self.#ringPlays = false)),
      unpark: () => void (self.parked = false),
      nudge: (/** @type {number} */ ms) => {
        if (ms) self.nudges.push(ms);
        self.#ahead(-ms);
      },
      release() {},
      stats: () => ({ bufferedMs: 80, targetMs: 60, nudgeMs: 0, quiet: false }),
    };
    const screen = {
      get top() {
        return self.top;
      },
      get settled() {
        return self.top === self.#wanted;
      },
      get rendered() {
        return self.#rendered;
      },
      get lagMs() {
        return self.lagMs;
      },
      attach: () => void (self.#rendered = 0),
      detach: () => void ((self.top = self.#wanted = "ws"), (self.#rendered = 0)),
      want: (/** @type {string} */ to) => void (self.#wanted = to),
      yield: () => void (self.top = self.#wanted = "ws"),
      tick() {},
    };
    const sync = {
      mediaMs: () => self.nowMs - 126 - self.clockOffMs, // where the peer's sound is, with its way into the graph
      soundLeads: () => self.#ringPlays,
      heard: (/** @type {number | null} */ mediaMs, /** @type {number} */ atMs) =>
        void (self.#heard = { mediaMs, atMs }),
    };
    this.stage = new Changeover(/** @type {any} */ (output), /** @type {any} */ (screen), sync);
    this.upgrade = new Upgrade(this.stage, {
      send: (/** @type {any} */ message) => {
        if (!self.isOpen) return;
        self.sent.push(message);
        self.#serve(message);
      },
      greet: () => void self.greetings++,
      isOpen: () => self.isOpen,
      rttMs: () => 10,
      latencyMs: () => self.latencyMs,
      visible: () => self.visible,
      peer: able ? (epoch, ice) => self.#peer(epoch, ice) : null,
      now: () => self.nowMs,
      random: () => 0.5,
    });
    this.upgrade.addEventListener("change", () => {
      const { state, mode, reason } = this.upgrade;
      this.changes.push({ state, mode, reason });
    });
    this.welcome = {
      type: "welcome",
      session: "s",
      resume: "r",
      webrtc: { enabled: true, ice_servers: [], policy: "all", mode: "auto", reason: "", ...webrtc },
    };
    this.upgrade.welcome(this.welcome);
    this.upgrade.ready();
  }

  get peer() {
    return this.peers.at(-1);
  }

  /** @param {object} message */
  say(message) {
    if (this.isOpen) this.upgrade.handle(/** @type {any} */ (message));
  }

  /** Let time pass. @param {number} ms @param {() => void} [check] after each tick */
  run(ms, check = () => {}) {
    for (const end = this.nowMs + ms; this.nowMs < end; ) {
      this.nowMs += TICK_MS;
      this.#flow();
      this.upgrade.tick();
      check();
    }
  }

  /** @param {(call: Call) => boolean} what @param {number} withinMs */
  until(what, withinMs) {
    const start = this.nowMs;
    while (!what(this) && this.nowMs - start < withinMs) this.run(TICK_MS);
    return what(this) ? this.nowMs - start : NaN;
  }

  loseSocket() {
    this.isOpen = false;
    this.#move("lost", "");
    return this.upgrade.lost();
  }

  /** A browser that closes its peer tells the other end. @param {number} epoch */
  peerClosed(epoch) {
    if (epoch === this.server.epoch) this.#move("failed", "the peer connection closed");
  }

  /** A new socket, to the same session or to another. */
  comeBack(same = true) {
    this.isOpen = true;
    const resumed = same && this.server.state === "orphan";
    if (!same || this.server.state === "ended") this.server = new MediaPath();
    if (!same) this.welcome = { ...this.welcome, session: `${this.welcome.session}+`, resume: "x" };
    else if (!resumed) this.welcome = { ...this.welcome, resume: `${this.welcome.resume}+` };
    if (resumed) this.#move("resumed", "");
    this.upgrade.welcome({ ...this.welcome });
    if (resumed) return;
    if (this.token) this.upgrade.handle({ type: "pong", t: this.nowMs });
    else this.upgrade.welcome({ ...this.welcome });
  }

  /** The server's own doubts and limits. @param {import("../../static/core/states.js").Event} event */
  serverEvent(event) {
    this.#move(event, "the server says so");
  }

  /** The peer's sound is so much further ahead. @param {number} ms */
  #ahead(ms) {
    this.apartMs += ms;
    this.clockOffMs += ms;
  }

  /** @param {number} epoch @param {any} ice */
  #peer(epoch, ice) {
    if (this.broken) throw new SyntaxError(this.broken);
    const peer = new FakePeer(this, epoch);
    peer.ice = ice;
    this.peers.push(peer);
    this.#attached = peer;
    return peer;
  }

  #flow() {
    const carries = CARRIES[this.server.state];
    const peer = this.#attached;
    if (peer && peer.state === "connected" && carries.includes("webrtc")) {
      if (peer.flows.sound) peer.heardAtMs = this.nowMs;
      if (peer.flows.pictures) {
        peer.seenAtMs = this.nowMs;
        this.#rendered++;
        if (this.#wanted === "webrtc") this.top = "webrtc";
      }
    }
    if (this.isOpen && carries.includes("ws") && !this.parked) {
      this.#ringPlays = true;
      if (this.#wanted === "ws") this.top = "ws";
      this.stage.report(this.nowMs - 100, this.nowMs);
    }
    if (this.server.overdue(this.nowMs)) this.#move("deadline", "too long");
  }

  /** @param {any} message */
  #serve(message) {
    const { type, epoch, to } = message;
    if (type === "offer" && ["ws", "probing"].includes(this.server.state)) {
      this.#move("offered", "");
      this.server.epoch = epoch;
      const peer = /** @type {FakePeer} */ (this.peer);
      this.pending = () => {
        this.say({ type: "answer", epoch, sdp: "v=0", codec: "h264" });
        if (this.udp && peer.state === "new") peer.state = "connected";
        this.say({ type: "rtp", epoch, audio: 0, video: 0 });
      };
    } else if (type === "switched" && epoch === this.server.epoch) {
      const { reason } = message;
      const over = this.server.state === "hedge" && ["failed", "pinned"].includes(reason);
      this.#move(to === "webrtc" ? "switched" : over ? "failed" : "reverted", reason);
    }
  }

  /** The server's answer arrives. */
  deliver() {
    const step = this.pending;
    this.pending = undefined;
    step?.();
  }

  /** @param {import("../../static/core/states.js").Event} event @param {string} reason */
  #move(event, reason) {
    if (!this.server.handle(event, this.nowMs, reason).moved) return;
    const { state, transport, epoch } = this.server;
    if (event !== "offered" && state !== "orphan" && state !== "ended") {
      this.say({ type: "media", transport, at: this.nowMs, epoch, reason });
    }
  }
}
