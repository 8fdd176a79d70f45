// @ts-check
/**
 * The way to WebRTC and back, of one viewer: the client's half of the table in core/states.js. It
 * tries, proves, presents, doubts, goes back, and tries again; what happens to picture and sound is
 * the stage's (changeover.js) business.
 *
 * Nothing happens but in `tick` and in the methods below, so that time can be an argument.
 *
 * Events: `change` when state, mode or reason did, but for the seconds of a wait; `message` (detail:
 * one of the data channel); `ended` when the peer that outlived the socket is gone as well, and no
 * new socket is there.
 */
import { MediaPath, PINNED } from "../core/states.js";
import { Vitals } from "../core/vitals.js";
import { Attempt } from "./attempt.js";
import { Policy } from "./policy.js";
import { describe } from "./reasons.js";

/** @typedef {import("../core/states.js").Transport} Transport */
/**
 * @typedef {{
 *   send(message: object): void, isOpen(): boolean, rttMs(): number, latencyMs(): number,
 *   visible(): boolean, greet(): void,
 *   peer: ((epoch: number, options: any) => any) | null, now(): number, random(): number,
 * }} World everything it needs of its surroundings; `peer` is null where the page has no WebRTC,
 *   `greet` says `hello` anew
 */

/** So long a peer in doubt has to be good. */
const GOOD_MS = 2_000;
/** The change itself takes less. */
const CROSS_MS = 500;
const LATE = "WebRTC is far behind";
/** A peer that is so much behind the socket after it was in doubt is not gone back to: its jitter
 * buffer has learnt from a stall, and forgets over tens of seconds. A new one begins anew. */
const FAR_MS = 500;
/** Passwords older than that may have expired: others are asked for before they are used. */
const FRESH_MS = 60_000;
const ASK_MS = 10_000;
/** Answers of the server after which an attempt is over. */
const REFUSALS = ["no_webrtc", "bad_offer", "stale_epoch", "not_connected"];
/** Where the server takes the peer for one that is wanted. */
const PRESUMED = ["probing", "webrtc", "hedge"];
const OF_AN_EPOCH = ["answer", "candidate", "rtp", "media"];

export class Upgrade extends EventTarget {
  #world;
  #stage;
  #policy;
  #path = new MediaPath();
  #vitals = new Vitals();
  /** @type {Attempt | null} */
  #attempt = null;
  /** @type {any} */
  #welcome = null;
  /** The first of a new socket, which may have been on its way before our hello was read.
   * @type {any} */
  #early = null;
  #welcomedMs = -Infinity;
  #askedMs = -Infinity;
  #shown = "";
  counts = { attempts: 0, up: 0, down: 0, connectFailures: 0, transitFailures: 0 };

  /** @param {import("../changeover.js").Changeover} stage @param {World} world */
  constructor(stage, world) {
    super();
    this.#stage = stage;
    this.#world = world;
    this.#policy = new Policy(world.peer !== null, world.random);
  }

  get state() {
    return this.#path.state;
  }

  /** @returns {import("./peer.js").Peer | null} */
  get peer() {
    return this.#attempt?.peer ?? null;
  }

  /** `ws`, `webrtc`, or `switching` while it is not quite one or the other.
   * @returns {Transport | "switching"} */
  get mode() {
    return this.state === "hedge" || this.#stage.changing ? "switching" : this.#stage.presents;
  }

  /** Why media come the way they do, for people. */
  get reason() {
    return this.#describe(this.#policy.describe(this.#world.now()));
  }

  /** @param {ReturnType<Policy["describe"]>} how */
  #describe(how) {
    const { state, reason: pathReason } = this.#path;
    return describe({ state, changing: this.#stage.changing, pathReason, ...how });
  }

  /** What the page or its user wants. */
  get wanted() {
    return this.#policy.wanted;
  }

  set wanted(mode) {
    if (mode === this.wanted) return;
    this.#policy.wanted = mode;
    this.tick();
  }

  /** A picture was drawn and sound can be heard: nothing is risked by trying. */
  ready() {
    this.#policy.ready();
  }

  /** Another network, or the same one back. */
  online() {
    this.#policy.reset();
  }

  /** @param {any} welcome */
  welcome(welcome) {
    const before = this.#welcome;
    const same = welcome.session === before?.session;
    if (this.state === "orphan" && same) {
      if (welcome.resume === before.resume) this.#path.handle("resumed", this.#world.now());
      else if (!this.#early) return void (this.#early = welcome);
      else this.#fail("the session did not wait for us");
    } else if (this.#attempt && !same) this.#fail("another session", "failed", false);
    if (this.state === "ended" || !same) {
      const { epoch } = this.#path;
      this.#path = new MediaPath();
      this.#path.epoch = same ? epoch : 0;
    }
    this.#early = null;
    this.#welcome = welcome;
    this.#welcomedMs = this.#world.now();
    this.#policy.offered = welcome.webrtc;
    this.#tell();
  }

  /** The socket is gone. Whether picture and sound go on without it. */
  lost() {
    const nowMs = this.#world.now();
    const hedged = this.state === "hedge";
    this.#early = null;
    this.#path.handle("lost", nowMs, "the socket is away, WebRTC carries on");
    const carries = this.state === "orphan" && !this.#vitals.isStalled(nowMs);
    if (!carries) {
      this.#path.handle("failed", nowMs, "the connection is lost");
      this.#drop();
    } else if (hedged) this.#stage.up(nowMs, false);
    this.#tell();
    return carries;
  }

  /** A message of the server. Whether it was meant for here.
   * @param {{type: string, [field: string]: any}} message */
  handle(message) {
    if (message.type === "error") {
      const concerned = REFUSALS.includes(message.code);
      if (concerned && this.#attempt) this.#fail(message.message);
      return concerned;
    }
    // A pong comes after the answer to our hello, so that was it: where a token is wanted, the first
    // welcome is the only one.
    if (message.type === "pong" && this.#early) this.welcome(this.#early);
    if (!OF_AN_EPOCH.includes(message.type)) return false;
    if (message.epoch !== this.#path.epoch || !this.#attempt) return true; // that one is over
    if (message.type === "media") this.#onMedia(message.transport, message.reason);
    else this.#attempt.handle(message);
    return true;
  }

  /** Look how things stand, and act. */
  tick() {
    const nowMs = this.#world.now();
    this.#attempt?.look(nowMs);
    const behindMs = this.state === "webrtc" ? this.#world.latencyMs() : NaN;
    this.#vitals.look(this.peer, nowMs, this.#world.visible(), behindMs);
    this.#stage.tick(nowMs, this.#world.visible());
    if (this.state === "ws") this.#try(nowMs);
    else if (this.#attempt) this.#follow(this.#attempt, nowMs);
    this.#tell();
  }

  close() {
    this.#drop();
    this.#path = new MediaPath();
    this.#path.state = "ended";
  }

  /** @param {number} nowMs */
  #try(nowMs) {
    const { isOpen, visible, peer: make } = this.#world;
    if (!make || !isOpen() || !visible() || !this.#policy.allows(nowMs)) return;
    if (this.#policy.hasPasswords && nowMs - this.#welcomedMs > FRESH_MS) return this.#ask(nowMs);
    this.#path.handle("offered", nowMs);
    this.#path.epoch++;
    this.counts.attempts++;
    try {
      this.#begin(make(this.#path.epoch, this.#policy.ice), nowMs);
    } catch (error) {
      this.#fail(/** @type {Error} */ (error).message); // of an address that is none, say
    }
  }

  /** @param {any} peer @param {number} nowMs */
  #begin(peer, nowMs) {
    this.#attempt = new Attempt(peer, nowMs, {
      send: this.#world.send,
      message: (detail) => this.dispatchEvent(new CustomEvent("message", { detail })),
      failed: (reason) => this.#fail(reason),
    });
    this.#stage.attach(peer);
    this.#attempt.start();
  }

  /** For a welcome with passwords that are good. @param {number} nowMs */
  #ask(nowMs) {
    if (nowMs - this.#askedMs < ASK_MS) return;
    this.#askedMs = nowMs;
    this.#world.greet();
  }

  /** @param {Attempt} attempt @param {number} nowMs */
  #follow(attempt, nowMs) {
    if (this.state === "probing") this.#probe(attempt, nowMs);
    else if (this.state === "webrtc") this.#guard(attempt, nowMs);
    else if (this.state === "hedge") this.#hesitate(attempt, nowMs);
    else if (attempt.isBroken || this.#vitals.isStalled(nowMs)) this.#end("the connection is lost");
    else if (this.#path.overdue(nowMs)) this.#end("the session did not wait for us", "deadline");
  }

  /** @param {Attempt} attempt @param {number} nowMs */
  #probe(attempt, nowMs) {
    const { presents, goal, changing, rendered } = this.#stage;
    if (this.#policy.pin === "ws") this.#fail(PINNED);
    else if (attempt.isBroken) this.#fail(attempt.whyNot(rendered));
    else if (presents === "webrtc" && !changing) this.#switched(nowMs);
    else if (this.#path.overdue(nowMs)) this.#fail(attempt.whyNot(rendered), "deadline");
    else if (goal === "webrtc") {
      if (this.#vitals.isStalled(nowMs)) this.#fail("WebRTC stalled while switching over");
    } else if (this.#isProven(nowMs)) this.#stage.up(nowMs, true, this.#leftMs(nowMs));
    else if (attempt.isLate(nowMs, this.#world.rttMs())) {
      this.#fail(attempt.whyNot(rendered), "deadline");
    }
  }

  /** @param {Attempt} attempt @param {number} nowMs */
  #guard(attempt, nowMs) {
    if (this.#policy.pin === "ws") this.#revert(PINNED, PINNED, true);
    else if (attempt.isBroken) this.#revert("failed", "WebRTC broke", false);
    else if (attempt.peer.state === "disconnected") {
      this.#revert("disconnected", "WebRTC is disconnected", false);
    } else if (this.#vitals.isStalled(nowMs)) this.#revert("stalled", "WebRTC stalled", false);
    else if (this.#vitals.isLate(nowMs)) this.#revert("late", LATE, false);
  }

  /** @param {Attempt} attempt @param {number} nowMs */
  #hesitate(attempt, nowMs) {
    const { presents, goal, changing } = this.#stage;
    const reason = this.#policy.pin === "ws" ? PINNED : this.#path.reason;
    const [final, down] = [reason === PINNED || reason === LATE, goal === "ws" && !changing];
    if (final && down) this.#fail(reason);
    else if (attempt.isBroken) this.#fail("WebRTC broke");
    else if (this.#path.overdue(nowMs)) this.#fail("WebRTC did not recover", "deadline");
    else if (!down && (final || !this.#vitals.isGood)) this.#stage.down(nowMs, this.#vitals.isGood);
    else if (presents === "webrtc" && goal === "webrtc") this.#switched(nowMs);
    else if (this.#vitals.goodMs(nowMs) >= GOOD_MS) {
      if (this.#stage.lagMs > FAR_MS) this.#fail(LATE);
      else this.#stage.up(nowMs, true, this.#leftMs(nowMs));
    }
  }

  /** How long the change may still be prepared. @param {number} nowMs */
  #leftMs(nowMs) {
    return (this.#path.deadlineMs ?? Infinity) - nowMs - CROSS_MS;
  }

  /** Whether the peer's picture was rendered and its sound flows. @param {number} nowMs */
  #isProven(nowMs) {
    const seen = this.#world.visible() ? this.#stage.rendered > 0 : this.#vitals.hasSeen;
    return seen && this.#vitals.sounds(nowMs);
  }

  /** @param {number} nowMs */
  #switched(nowMs) {
    this.#path.handle("switched", nowMs);
    this.#policy.succeeded();
    this.counts.up++;
    this.#world.send({ type: "switched", epoch: this.#path.epoch, to: "webrtc", reason: "" });
  }

  /** The socket is to carry media again. @param {string} reason for the server
   * @param {string} words for people @param {boolean} alive */
  #revert(reason, words, alive) {
    this.#hedge("reverted", words, alive);
    this.#world.send({ type: "switched", epoch: this.#path.epoch, to: "ws", reason });
  }

  /** @param {"reverted" | "doubted"} event @param {string} words @param {boolean} alive */
  #hedge(event, words, alive) {
    const nowMs = this.#world.now();
    this.#path.handle(event, nowMs, words);
    this.#vitals.doubt();
    this.counts.down++;
    this.#stage.down(nowMs, alive);
  }

  /** @param {Transport} transport @param {string} reason */
  #onMedia(transport, reason) {
    if (transport !== "ws") return;
    if (this.state === "probing") this.#fail(reason || "the server gave up");
    else if (this.state === "webrtc") {
      this.#hedge("doubted", reason, !this.#vitals.isStalled(this.#world.now()));
    }
  }

  /** This epoch's peer is done with. @param {string} reason @param {"failed" | "deadline"} [event]
   * @param {boolean} known whether the server knows that peer */
  #fail(reason, event = "failed", known = true) {
    const nowMs = this.#world.now();
    const pinned = reason === PINNED || this.#path.reason === PINNED;
    const presumed = known && this.#attempt && PRESUMED.includes(this.state);
    const { failure: kind } = this.#path.handle(event, nowMs, reason);
    if (kind) {
      this.counts[kind === "connect" ? "connectFailures" : "transitFailures"]++;
      this.#policy.failed(kind, reason, nowMs, this.#world.isOpen());
    }
    this.#drop();
    if (presumed) {
      const why = pinned ? PINNED : "failed";
      this.#world.send({ type: "switched", epoch: this.#path.epoch, to: "ws", reason: why });
    }
    this.#tell();
  }

  /** The peer that outlived the socket is gone as well: all begins anew, with the new socket if that
   * is there already. @param {string} reason @param {"failed" | "deadline"} [event] */
  #end(reason, event) {
    this.#fail(reason, event);
    if (this.#early) this.welcome(this.#early);
    else this.dispatchEvent(new Event("ended"));
  }

  #drop() {
    const attempt = this.#attempt;
    this.#attempt = null;
    this.#stage.detach();
    attempt?.close();
  }

  #tell() {
    const how = this.#policy.describe(this.#world.now());
    // That there is a wait is news, that it gets shorter is none.
    const reason = this.#describe({ ...how, waitMs: Math.sign(how.waitMs) });
    const shown = `${this.state} ${this.mode} ${reason}`;
    if (shown === this.#shown) return;
    this.#shown = shown;
    this.dispatchEvent(new Event("change"));
  }
}
