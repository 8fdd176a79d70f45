// @ts-check
/**
 * The one WebSocket: opened, kept, and opened again when it breaks, to the same session where that
 * is still there.
 *
 * Events: `open`; `frame` (detail: a decoded frame); `message` (detail: a JSON message); `down`
 * (detail: `{code, reason, retryMs}`, retryMs null when it stays down); `quiet` and `lively` when
 * nothing has come for a while, and when something has again.
 */
import { BadMessage, decode, FINAL_CLOSE_CODES, NOT_FOUND, parse } from "../core/protocol.js";

/** Waits between tries; the last one repeats. From the third on, up to a second of jitter. */
const RETRY_MS = [0, 300, 1200, 2700, 4800, 7000];
const JITTER_FROM = 2;
const JITTER_MS = 1000;
/** A connection that lived so long after its welcome was one: the waits begin anew. */
const LIVED_MS = 5000;
const PING_MS = 2000;
/** After so long without anything an answer is asked for: while media come another way, nothing
 * else need come here. */
const IDLE_PING_MS = 700;
const QUIET_MS = 1500;
const DEAD_MS = 10_000;
const CONNECT_MS = 10_000;
/** Of a socket that may belong to a network that is gone. */
const HURRY_MS = 3_000;

export class Connection extends EventTarget {
  #url;
  #hello;
  /** @type {WebSocket | null} */
  #socket = null;
  #tries = 0;
  #heardMs = 0;
  /** When this socket's first welcome came. */
  #welcomedMs = Infinity;
  #quiet = false;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #retry;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #watch;
  #pingedMs = -Infinity;
  #hurriedMs = -Infinity;
  #closed = false;
  /** The session of the last welcome, and what proves that we were in it.
   * @type {{session: string, resume: string} | null} */
  #last = null;
  /** What the first welcome of a socket says, until it is known whether that is the answer.
   * @type {{session: string, resume: string} | null} */
  #early = null;
  /** Whether this socket asks for that session, and not for what the page asks for. */
  #returning = false;
  rttMs = NaN;
  bytes = { video: 0, audio: 0, text: 0 };
  counts = { bad: 0, reconnects: 0 };

  /**
   * @param {() => string} url asked for anew at each try
   * @param {(resume?: string) => object} hello the first message of each socket
   */
  constructor(url, hello) {
    super();
    this.#url = url;
    this.#hello = hello;
  }

  /** Open it, and keep it open. */
  open() {
    if (this.#closed || this.#socket) return;
    let socket;
    try {
      socket = this.#socket = this.#make();
    } catch (error) {
      // No address, or one that this page may not open: trying again would end the same.
      return this.#end(1006, /** @type {Error} */ (error).message);
    }
    socket.binaryType = "arraybuffer";
    socket.onopen = () => {
      this.send(this.#hello(this.#last?.resume));
      this.#emit("open");
    };
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = ({ code, reason }) => this.#lost(code, reason);
    this.#heardMs = performance.now();
    this.#welcomedMs = Infinity;
    this.#early = null;
    this.#watch = setInterval(() => this.#look(), 250);
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Whether the server has answered on this socket. */
  get isGreeted() {
    return this.isOpen && this.#welcomedMs < Infinity;
  }

  /** Whether nothing has come for a while. */
  get isQuiet() {
    return this.#quiet;
  }

  /** Another network, or the same one back: do not wait for the next try, nor long for a socket that
   * may belong to the network that is gone. */
  hurry() {
    clearTimeout(this.#retry);
    if (!this.#socket) return this.open();
    const nowMs = performance.now();
    this.#hurriedMs = nowMs;
    if (this.isOpen) this.#ping(nowMs);
  }

  /** Send a message, when there is a socket to send it on. @param {object} message */
  send(message) {
    if (this.isOpen) this.#socket?.send(JSON.stringify(message));
  }

  close() {
    if (this.#closed) return;
    this.send({ type: "bye" });
    this.#closed = true;
    clearTimeout(this.#retry);
    clearInterval(this.#watch);
    this.#socket?.close(1000);
    this.#socket = null;
  }

  #make() {
    const url = new URL(this.#url());
    this.#returning = this.#last !== null && !url.searchParams.has("session");
    if (this.#last) url.searchParams.set("session", this.#last.session);
    return new WebSocket(url);
  }

  /** @param {ArrayBuffer | string} data */
  #receive(data) {
    const nowMs = performance.now();
    this.#heardMs = nowMs;
    if (this.#quiet) {
      this.#quiet = false;
      this.#emit("lively");
    }
    try {
      if (typeof data === "string") this.#message(parse(data), data.length, nowMs);
      else {
        const frame = decode(data);
        this.bytes[frame.type === 2 || frame.type === 6 ? "audio" : "video"] += data.byteLength;
        this.#emit("frame", frame);
      }
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error;
      this.counts.bad++;
      console.warn("wsstream: skipped a message:", error.message);
    }
  }

  /** @param {{type: string, [field: string]: any}} message @param {number} size @param {number} nowMs */
  #message(message, size, nowMs) {
    this.bytes.text += size;
    if (message.type === "pong") {
      this.rttMs = nowMs - message.t;
      this.#last = this.#early ?? this.#last; // an answer to our hello would have come before
      this.#early = null;
    }
    if (message.type === "welcome") {
      const { session, resume } = message;
      // The first of a new socket may be older than our hello: its token is that of a stranger.
      const early = this.#welcomedMs === Infinity && session === this.#last?.session;
      if (!early) this.#last = { session, resume };
      this.#early = early ? { session, resume } : null;
      this.#welcomedMs = Math.min(this.#welcomedMs, nowMs);
    }
    this.#emit("message", message);
  }

  #look() {
    const nowMs = performance.now();
    const silentMs = nowMs - this.#heardMs;
    const hurried = this.#hurriedMs > this.#heardMs && nowMs - this.#hurriedMs > HURRY_MS;
    if (!this.isOpen) {
      if (silentMs > CONNECT_MS || hurried) this.#giveUp("no answer");
      return;
    }
    if (silentMs > DEAD_MS || hurried) return this.#giveUp("nothing came for a while");
    if (silentMs > QUIET_MS && !this.#quiet) {
      this.#quiet = true;
      this.#emit("quiet");
    }
    const sinceMs = nowMs - this.#pingedMs;
    if (sinceMs >= PING_MS || Math.min(sinceMs, silentMs) >= IDLE_PING_MS) this.#ping(nowMs);
  }

  /** @param {number} nowMs */
  #ping(nowMs) {
    this.#pingedMs = nowMs;
    this.send({ type: "ping", t: nowMs });
  }

  /** A socket that does not answer may take minutes to say so. @param {string} reason */
  #giveUp(reason) {
    const socket = this.#socket;
    if (!socket) return;
    socket.onclose = null;
    socket.onmessage = null;
    socket.close();
    this.#lost(1006, reason);
  }

  /** @param {number} code @param {string} reason */
  #lost(code, reason) {
    clearInterval(this.#watch);
    this.#socket = null;
    this.#quiet = false;
    if (this.#closed) return;
    if (performance.now() - this.#welcomedMs > LIVED_MS) this.#tries = 0;
    const over = code === NOT_FOUND && this.#returning; // that session: a new one, at once
    if (over) this.#last = null;
    else if (FINAL_CLOSE_CODES.includes(code)) return this.#end(code, reason);
    const retryMs = over ? 0 : this.#nextWaitMs();
    this.counts.reconnects++;
    this.#retry = setTimeout(() => this.open(), retryMs);
    this.#emit("down", { code, reason, retryMs });
  }

  #nextWaitMs() {
    const tries = this.#tries++;
    const jitterMs = tries < JITTER_FROM ? 0 : Math.random() * JITTER_MS;
    return RETRY_MS[Math.min(tries, RETRY_MS.length - 1)] + jitterMs;
  }

  /** It stays down. @param {number} code @param {string} reason */
  #end(code, reason) {
    this.#closed = true;
    this.#emit("down", { code, reason, retryMs: null });
  }

  /** @param {string} name @param {any} [detail] */
  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
