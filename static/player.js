// @ts-check
/**
 * Plays a session: builds the parts and wires them. It decodes nothing and shows nothing but the
 * pictures; element.js puts it on a page.
 *
 * Events, each with its `detail`: `welcome`, `transcript`, `emotion`, `error` (the message);
 * `caption` `{text, atMs}`; `flush`; `statechange` `{value, atMs}`; `lockchange`;
 * `notice` `{text, stays}`.
 */
import { createDecoder } from "./audio/decoder.js";
import { AudioOutput } from "./audio/output.js";
import { Gauges } from "./core/gauges.js";
import { FrameType, PROTOCOL, toU32, Unwrapper } from "./core/protocol.js";
import { Sync } from "./core/sync.js";
import { Connection } from "./net/connection.js";
import { PictureCanvas } from "./video/canvas.js";

const CLIENT = "wsstream-js";
const OPUS_RATE = 48_000;
const BLOCK_MS = 20;

/** @typedef {{url: () => string, audio: "auto" | "webcodecs" | "wasm" | "pcm", token?: string}} Options */

export class Player extends EventTarget {
  #options;
  #canvas;
  #sync = new Sync();
  #gauges = new Gauges();
  #times = new Unwrapper();
  #output = new AudioOutput();
  #pictures;
  #connection;
  /** @type {import("./audio/decoder.js").Decoder | null} */
  #decoder = null;
  /** @type {any} */
  #welcome = null;
  /** Of the last block of sound that came. */
  #soundMs = 0;
  #state = "connecting";
  #closed = false;

  /** @param {HTMLCanvasElement} canvas @param {Options} options */
  constructor(canvas, options) {
    super();
    this.#canvas = canvas;
    this.#options = options;
    this.#pictures = new PictureCanvas(canvas, (nowMs) => this.#sync.mediaMs(nowMs));
    this.#connection = new Connection(options.url, () => this.#hello);

    const listen = (/** @type {EventTarget} */ part, /** @type {Record<string, any>} */ on) => {
      for (const [name, act] of Object.entries(on)) {
        part.addEventListener(name, (event) => act(/** @type {CustomEvent} */ (event).detail));
      }
    };
    listen(this.#connection, {
      frame: (/** @type {any} */ frame) => this.#onFrame(frame),
      message: (/** @type {any} */ message) => this.#onMessage(message),
      down: (/** @type {any} */ down) => this.#onDown(down),
      quiet: () => this.#notice("The connection is unstable", true),
      lively: () => this.#notice(""),
    });
    listen(this.#pictures, { drawn: (/** @type {any} */ drawn) => this.#onDrawn(drawn) });
    listen(this.#output, {
      report: (/** @type {any} */ { mediaMs, atMs }) => this.#sync.heard(mediaMs, atMs),
      lockchange: () => this.#emit("lockchange"),
    });
  }

  /** Connect, and get the sound ready meanwhile. */
  async open() {
    this.#connection.open();
    const output = this.#output;
    const push = (/** @type {number} */ mediaMs, /** @type {Float32Array} */ pcm) =>
      output.push(mediaMs, pcm);
    const decoder = await createDecoder(push, this.#options.audio);
    if (this.#closed) return decoder.close();
    this.#decoder = decoder;
    if (decoder.kind === "pcm") this.#connection.send(this.#hello);
    await output.start().catch((error) => this.#notice(`No sound: ${error.message}`));
  }

  close() {
    this.#closed = true;
    for (const part of [this.#connection, this.#pictures, this.#output]) part.close();
    this.#decoder?.close();
  }

  /** @param {object} message */
  send(message) {
    this.#connection.send(message);
  }

  /** Let sound be heard; works inside a gesture. */
  unlock() {
    return this.#output.unlock();
  }

  get output() {
    return this.#output;
  }

  get state() {
    return this.#state;
  }

  get welcome() {
    return this.#welcome;
  }

  /** Why media come the way they do. */
  get reason() {
    return this.#welcome?.webrtc.enabled ? "starting" : "this server offers no WebRTC";
  }

  /** The media time presented at a `performance.now()`. @param {number} nowMs */
  mediaMs(nowMs) {
    return this.#sync.mediaMs(nowMs);
  }

  /** Everything there is to know, in figures. */
  stats() {
    const { bufferedMs, targetMs, counts: sound } = this.#output.stats();
    const pictures = this.#pictures.counts;
    const { bytes, counts, rttMs } = this.#connection;
    return {
      state: this.#state,
      mode: "WebSocket",
      reason: this.reason,
      session: this.#welcome?.session ?? null,
      videoCodec: this.#welcome?.video.codec ?? "–",
      audioDecoder: this.#decoder?.kind ?? "–",
      width: this.#canvas.width,
      height: this.#canvas.height,
      rttMs,
      bufferedMs,
      targetMs,
      locked: this.#output.locked,
      dropped: pictures.late + pictures.overrun + pictures.failed,
      silenceMs: sound.lateMs + sound.gapMs + sound.skippedMs,
      underruns: sound.underruns,
      pictures: { ...pictures },
      bytes: { ...bytes },
      reconnects: counts.reconnects,
      ...this.#gauges.read(performance.now(), bytes, pictures.drawn),
    };
  }

  /** @param {{type: number, timestampMs: number, payload: Uint8Array}} frame */
  #onFrame({ type, timestampMs, payload }) {
    const mediaMs = this.#times.unwrap(timestampMs);
    this.#sync.arrived(mediaMs, performance.now());
    if (type === FrameType.VIDEO) this.#pictures.push(mediaMs, payload);
    else if (type === (this.#decoder?.kind === "pcm" ? FrameType.AUDIO_PCM : FrameType.AUDIO)) {
      this.#soundMs = mediaMs;
      if (!this.#output.locked) this.#decoder?.decode(mediaMs, payload);
    }
  }

  /** @param {{type: string, [field: string]: any}} message */
  #onMessage(message) {
    switch (message.type) {
      case "welcome":
        return this.#onWelcome(message);
      case "pong":
        return this.#gauges.pong(message.t, message.media_ms, performance.now());
      case "state":
        return this.#setState(message.value, this.#times.unwrap(message.at));
      case "transcript":
        if (message.role === "agent") {
          this.#emit("caption", { text: message.text, atMs: this.#times.unwrap(message.at) });
        }
        return this.#emit("transcript", message);
      case "emotion":
        return this.#emit("emotion", message);
      case "flush":
        // The block after the last is the fade of what was interrupted, for clients that know no
        // flush: after ours it would be a click.
        this.#output.flush(this.#times.unwrap(message.at), this.#soundMs + 2 * BLOCK_MS);
        return this.#emit("flush");
      case "error":
        this.#notice(message.message);
        return this.#emit("error", message);
    }
  }

  /** @param {any} welcome */
  #onWelcome(welcome) {
    if (welcome.session !== this.#welcome?.session) {
      // Another session has another clock. The picture stays until its first one comes.
      this.#sync.reset();
      this.#gauges.reset();
      this.#pictures.reset();
      this.#output.reset();
      this.#decoder?.reset();
      this.#times = new Unwrapper();
      this.#notice("");
      this.#setState("idle", 0);
    }
    this.#welcome = welcome;
    this.#output.inputRate = welcome.audio.codec === "pcm" ? welcome.audio.rate : OPUS_RATE;
    this.#emit("welcome", welcome);
  }

  /** @param {{code: number, reason: string, retryMs: number | null}} down */
  #onDown({ code, reason, retryMs }) {
    this.#sync.heard(null, 0);
    const final = retryMs === null;
    this.#notice(final ? `Closed: ${reason || `code ${code}`}` : "Reconnecting…", true);
    this.#setState(final ? "down" : "connecting", 0);
  }

  /** @param {{mediaMs: number, decodeMs: number, heldMs: number}} drawn */
  #onDrawn({ mediaMs, decodeMs, heldMs }) {
    const nowMs = performance.now();
    const heardMs = this.#sync.soundLeads(nowMs) ? this.#sync.mediaMs(nowMs) : null;
    this.send({
      type: "ack",
      video: toU32(mediaMs),
      audio: heardMs === null ? undefined : toU32(heardMs),
      decode_ms: decodeMs,
      buffered_ms: heldMs,
    });
    this.#gauges.drawn(mediaMs, nowMs, heardMs);
  }

  get #hello() {
    const pcm = this.#options.audio === "pcm" || this.#decoder?.kind === "pcm";
    return {
      type: "hello",
      protocol: PROTOCOL,
      video: ["jpeg"],
      audio: [pcm ? "pcm" : "opus"],
      webrtc: false,
      token: this.#options.token,
      client: CLIENT,
    };
  }

  /** @param {string} value @param {number} atMs */
  #setState(value, atMs) {
    if (value === this.#state) return;
    this.#state = value;
    this.#emit("statechange", { value, atMs });
  }

  /** @param {string} text @param {boolean} [stays] */
  #notice(text, stays = false) {
    this.#emit("notice", { text, stays });
  }

  /** @param {string} name @param {any} [detail] */
  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
