// @ts-check
/**
 * Plays a session: builds the parts and wires them. It decodes nothing and shows nothing but the
 * pictures; element.js puts it on a page.
 *
 * Events, each with its `detail`: `welcome`, `transcript`, `emotion`, `error` (the message);
 * `caption` `{text, atMs}`; `flush`; `statechange` `{value, atMs}`; `modechange` `{mode, reason}`;
 * `lockchange`; `notice` `{text, stays}`.
 */
import { createDecoder } from "./audio/decoder.js";
import { AudioOutput } from "./audio/output.js";
import { Changeover } from "./changeover.js";
import { Gauges } from "./core/gauges.js";
import { Inbox } from "./core/inbox.js";
import { listen } from "./core/listen.js";
import { ack, FrameType, hello, isMedia } from "./core/protocol.js";
import { Sync } from "./core/sync.js";
import { figures } from "./figures.js";
import { Arrivals } from "./net/arrivals.js";
import { Connection } from "./net/connection.js";
import { watchNetwork } from "./net/network.js";
import { Outbox, REFUSALS } from "./net/outbox.js";
import { canPeer, Peer } from "./net/peer.js";
import { Upgrade } from "./net/upgrade.js";
import { View } from "./net/view.js";
import { PictureCanvas } from "./video/canvas.js";
import { canH264 } from "./video/decoder.js";
import { Screen } from "./video/screen.js";

const OPUS_RATE = 48_000;
/** In what form pictures come on the socket, best first. */
const FORMS = ["h264", "patch", "jpeg"];
const PICTURES = [
  ...[FrameType.VIDEO, FrameType.VIDEO_PATCH],
  ...[FrameType.VIDEO_H264_KEY, FrameType.VIDEO_H264],
];
const TICK_MS = 50;
/** So long the sound has to be steady before anything else is begun. */
const STEADY_MS = 40;
/** Told as they are. */
const PASSED_ON = ["caption", "transcript", "emotion", "error"];

/**
 * @typedef {{
 *   url: () => string, audio: "auto" | "webcodecs" | "wasm" | "pcm", token?: string,
 *   mode: "auto" | "ws" | "webrtc", video: "auto" | "h264" | "patch" | "jpeg",
 * }} Options
 */

export class Player extends EventTarget {
  #options;
  #sync = new Sync();
  #gauges = new Gauges();
  #inbox = new Inbox();
  #output = new AudioOutput();
  #pictures;
  #screen;
  #stage;
  #connection;
  #outbox;
  #upgrade;
  #arrivals = new Arrivals();
  #view;
  /** Whether H.264 can be decoded that comes over the socket. */
  #h264 = false;
  /** Whether there was a picture yet. */
  #drawn = false;
  #unwatch;
  /** @type {ReturnType<typeof setInterval> | undefined} */
  #ticking;
  /** @type {import("./audio/decoder.js").Decoder | null} */
  #decoder = null;
  /** @type {any} */
  #welcome = null;
  #state = "connecting";
  #closed = false;

  /** @param {HTMLCanvasElement} canvas @param {HTMLVideoElement} video above the canvas
   * @param {Options} options */
  constructor(canvas, video, options) {
    super();
    this.#options = options;
    this.#pictures = new PictureCanvas(canvas, (nowMs) => this.#sync.mediaMs(nowMs));
    this.#screen = new Screen(video, this.#pictures);
    this.#stage = new Changeover(this.#output, this.#screen, this.#sync);
    this.#connection = new Connection(options.url, (resume) => this.#hello(resume));
    this.#outbox = new Outbox(this.#connection, (it) => this.#upgrade.peer?.send(it) ?? false);
    this.#upgrade = new Upgrade(this.#stage, {
      send: (message) => this.#connection.send(message),
      greet: () => this.#connection.send(this.#hello()),
      isOpen: () => this.#connection.isOpen,
      rttMs: () => this.#connection.rttMs,
      latencyMs: () => this.#gauges.latencyMs,
      visible: () => document.visibilityState === "visible",
      peer: canPeer() ? (epoch, ice) => new Peer(epoch, ice) : null,
      now: () => performance.now(),
      random: Math.random,
    });
    this.#upgrade.wanted = options.mode;

    listen(this.#connection, {
      frame: (frame) => this.#onFrame(frame),
      message: (message) => this.#onMessage(message),
      down: (down) => this.#onDown(down),
      quiet: () => this.#upgrade.state === "webrtc" || this.#notice("The connection is unstable", true),
      lively: () => this.#onLively(),
    });
    listen(this.#pictures, {
      drawn: (drawn) => this.#onDrawn(drawn),
      broken: () => this.send({ type: "refresh" }),
      unable: () => this.#onUnable(),
    });
    this.#view = new View(canvas);
    listen(this.#view, { change: (view) => this.send({ type: "view", ...view }) });
    listen(this.#screen, { frame: (frame) => this.#onRendered(frame) });
    listen(this.#output, {
      report: ({ mediaMs, atMs }) => this.#stage.report(mediaMs, atMs),
      lockchange: () => this.#emit("lockchange"),
    });
    const { upgrade } = this;
    listen(upgrade, {
      message: (message) => this.#onMessage(message),
      change: () => this.#emit("modechange", { mode: upgrade.mode, reason: upgrade.reason }),
      ended: () => this.#onGone("Reconnecting…", "connecting"),
    });
    listen(this.#inbox, {
      state: ({ value, atMs }) => this.#setState(value, atMs),
      flush: ({ atMs, untilMs }) => this.#onFlush(atMs, untilMs),
      pong: (pong) => this.#gauges.pong(pong.t, pong.media_ms, performance.now()),
      ...Object.fromEntries(PASSED_ON.map((name) => [name, this.#emit.bind(this, name)])),
    });
    listen(this.#inbox, { error: ({ message }) => this.#notice(message) });
    this.#unwatch = watchNetwork(() => {
      this.#upgrade.online();
      this.#connection.hurry();
    });
  }

  /** Connect, and get the sound ready meanwhile. */
  async open() {
    this.#connection.open();
    canH264().then((can) => {
      this.#h264 = can;
      if (can && this.#drawn) this.#connection.send(this.#hello());
    });
    this.#ticking = setInterval(() => this.#upgrade.tick(), TICK_MS);
    const output = this.#output;
    const push = (/** @type {number} */ mediaMs, /** @type {Float32Array} */ pcm) =>
      output.push(mediaMs, pcm);
    const decoder = await createDecoder(push, this.#options.audio);
    if (this.#closed) return decoder.close();
    this.#decoder = decoder;
    if (decoder.kind === "pcm") this.#connection.send(this.#hello());
    await output.start().catch((error) => this.#notice(`No sound: ${error.message}`));
  }

  close() {
    this.#closed = true;
    clearInterval(this.#ticking);
    this.#unwatch();
    this.#upgrade.close();
    for (const part of [this.#connection, this.#pictures, this.#output, this.#view]) part.close();
    this.#decoder?.close();
  }

  /** @param {{type: string}} message */
  send(message) {
    const code = this.#outbox.send(message);
    if (!code) return;
    this.#inbox.receive({ type: "error", code, message: REFUSALS[code], fatal: false });
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

  /** How media come, why, and how they shall. */
  get upgrade() {
    return this.#upgrade;
  }

  /** The media time presented at a `performance.now()`. @param {number} nowMs */
  mediaMs(nowMs) {
    return this.#sync.mediaMs(nowMs);
  }

  /** Everything there is to know, in figures. */
  stats() {
    return figures({
      state: this.#state,
      welcome: this.#welcome,
      audioDecoder: this.#decoder?.kind ?? "–",
      concealedMs: this.#decoder?.concealedMs ?? 0,
      output: this.#output,
      pictures: this.#pictures,
      screen: this.#screen,
      stage: this.#stage,
      connection: this.#connection,
      upgrade: this.#upgrade,
      gauges: this.#gauges,
    });
  }

  /** @param {{type: number, timestampMs: number, payload: Uint8Array}} frame */
  #onFrame({ type, timestampMs, payload }) {
    if (!isMedia({ type, payload })) return;
    const mediaMs = this.#inbox.unwrap(timestampMs);
    this.#sync.arrived(mediaMs, performance.now());
    if (PICTURES.includes(type)) this.#pictures.push(type, mediaMs, payload);
    else if (type === (this.#decoder?.kind === "pcm" ? FrameType.AUDIO_PCM : FrameType.AUDIO)) {
      if (!this.#output.locked) this.#decoder?.decode(mediaMs, payload);
    }
  }

  /** @param {{type: string, [field: string]: any}} message */
  #onMessage(message) {
    if (message.type === "welcome") this.#onWelcome(message);
    else if (!this.#upgrade.handle(message)) this.#inbox.receive(message);
  }

  /** @param {number} atMs @param {number} untilMs */
  #onFlush(atMs, untilMs) {
    this.#output.flush(atMs, untilMs);
    this.#stage.hush(untilMs, performance.now());
    this.#emit("flush");
  }

  /** @param {any} welcome */
  #onWelcome(welcome) {
    this.#inbox.greet();
    if (welcome.session !== this.#welcome?.session) {
      // Another session has another clock. The picture stays until its first one comes.
      const parts = [this.#sync, this.#gauges, this.#pictures, this.#screen, this.#output];
      for (const part of [...parts, this.#inbox]) part.reset();
      this.#decoder?.reset();
      this.#setState("idle", 0);
    } else if (this.#state === "connecting") this.#setState("idle", 0); // until we are told better
    this.#notice("");
    this.#welcome = welcome;
    this.#upgrade.welcome(welcome);
    this.#output.inputRate = welcome.audio.codec === "pcm" ? welcome.audio.rate : OPUS_RATE;
    this.send({ type: "view", ...this.#view.current });
    this.#outbox.release();
    this.#emit("welcome", welcome);
  }

  #onLively() {
    this.#notice("");
    this.#outbox.release();
  }

  /** @param {{code: number, reason: string, retryMs: number | null}} down */
  #onDown({ code, reason, retryMs }) {
    const carried = this.#upgrade.lost();
    if (retryMs === null) {
      this.#upgrade.close();
      this.#outbox.close();
      this.#onGone(`Closed: ${reason || `code ${code}`}`, "down");
    } else if (!carried) this.#onGone("Reconnecting…", "connecting");
  }

  /** Nothing comes any more. @param {string} text @param {"down" | "connecting"} state */
  #onGone(text, state) {
    this.#sync.heard(null, 0);
    this.#notice(text, true);
    this.#setState(state, 0);
  }

  /** @param {{mediaMs: number | null, nowMs: number, receivedMs: number | undefined}} frame */
  #onRendered({ mediaMs, nowMs, receivedMs }) {
    this.#stage.saw(mediaMs, nowMs);
    const told = mediaMs === null ? null : this.#arrivals.add(mediaMs, receivedMs, nowMs);
    if (told) this.#upgrade.peer?.send(told);
    if (this.#screen.top !== "webrtc" || mediaMs === null) return;
    if (this.#output.locked) this.#sync.arrived(mediaMs, nowMs);
    this.#gauges.drawn(mediaMs, nowMs, this.#heardMs(nowMs));
  }

  /** @param {{mediaMs: number, decodeMs: number, heldMs: number, shown: boolean}} drawn */
  #onDrawn({ mediaMs, decodeMs, heldMs, shown }) {
    const nowMs = performance.now();
    const heardMs = this.#heardMs(nowMs);
    if (shown) this.#screen.drew(mediaMs);
    if (!this.#drawn) {
      this.#drawn = true;
      this.#connection.send(this.#hello());
    }
    const steady = this.#sync.soundLedMs(nowMs) > STEADY_MS;
    if (this.#decoder && (this.#output.locked || steady)) this.#upgrade.ready();
    this.send(ack({ mediaMs, heardMs, decodeMs, heldMs }));
    if (shown && this.#screen.top === "ws") this.#gauges.drawn(mediaMs, nowMs, heardMs);
  }

  /** What the browser promised of H.264 does not hold. */
  #onUnable() {
    this.#h264 = false;
    this.#connection.send(this.#hello());
  }

  /** @param {number} nowMs */
  #heardMs(nowMs) {
    return this.#sync.soundLeads(nowMs) ? this.#sync.mediaMs(nowMs) : null;
  }

  /** @param {string} [resume] the token of the session that we were in */
  #hello(resume) {
    const pcm = this.#options.audio === "pcm" || this.#decoder?.kind === "pcm";
    const { token, video: form } = this.#options;
    const rest = { pcm, webrtc: canPeer(), mode: this.#upgrade.wanted, token, resume };
    // The first picture is on its way as a JPEG, which is drawn soonest.
    if (!this.#drawn) return hello({ ...rest, video: ["jpeg"] });
    const forms = form === "auto" ? FORMS : [...new Set([form, "jpeg"])];
    return hello({ ...rest, video: forms.filter((it) => it !== "h264" || this.#h264) });
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
