// @ts-check
/**
 * `<ws-stream agent="ada">`: a player on a page, with its controls. Attributes, properties, methods,
 * events and CSS parts are described in the README.
 */
import { listen } from "./core/listen.js";
import { Player } from "./player.js";
import { Captions } from "./ui/captions.js";
import { Controls } from "./ui/controls.js";
import { NAMES, Stats } from "./ui/stats.js";
import { style } from "./ui/style.js";
import { template } from "./ui/template.js";

const NOTICE_MS = 6000;
/** Told to the page as they are. */
const PASSED_ON = [
  ...["welcome", "transcript", "emotion", "error"],
  ...["statechange", "modechange", "lockchange"],
];
const MODES = ["auto", "ws", "webrtc"];

/** @typedef {{muted: boolean, volume: number, captions: boolean, showStats: boolean}} Wishes */

export class WsStream extends HTMLElement {
  static observedAttributes = [
    ...["agent", "src", "session", "token", "audio", "video", "mode"],
    ...["muted", "volume", "stats", "controls"],
  ];

  #root = this.attachShadow({ mode: "open" });
  /** @type {Player | null} */
  #player = null;
  /** @type {{captions: Captions, controls: Controls, stats: Stats} | null} */
  #ui = null;
  /** It outlives a player, and may come before the first one. @type {Wishes} */
  #wishes = { muted: false, volume: 1, captions: true, showStats: false };
  #said = 0;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #noticeTimer;

  constructor() {
    super();
    this.#root.adoptedStyleSheets = [style];
    this.#root.append(template.content.cloneNode(true));
    this.#find(".tap").onclick = () => this.start();
    this.#find(".badge").onpointerenter = () => this.#showBadge(); // seconds of a wait in it
  }

  /** Have the agent say something. Also lets sound be heard, when called in a gesture.
   * @param {string} text @returns {string} the id that its transcripts' ids begin with */
  say(text) {
    const id = `say-${++this.#said}`;
    this.start();
    this.#player?.send({ type: "say", text, id });
    return id;
  }

  /** Have the agent stop speaking. */
  interrupt() {
    this.#player?.send({ type: "interrupt" });
  }

  /** Let sound be heard. Browsers want a gesture for it. */
  async start() {
    await this.#player?.unlock();
  }

  /** `connecting`, `idle`, `listening`, `thinking`, `speaking` or `down`. */
  get state() {
    return this.#player?.state ?? "down";
  }

  /** The session's id, once there is one. */
  get sessionId() {
    return this.#player?.welcome?.session ?? null;
  }

  /** The node behind the volume, to measure or to record what is heard. */
  get audioNode() {
    return this.#player?.output.node ?? null;
  }

  /** Everything there is to know, in figures; null while the element is on no page. */
  stats() {
    return this.#player?.stats() ?? null;
  }

  get muted() {
    return this.#wishes.muted;
  }

  set muted(muted) {
    this.#wish({ muted: Boolean(muted) });
  }

  /** 0 to 1. */
  get volume() {
    return this.#wishes.volume;
  }

  set volume(volume) {
    this.#wish({ volume: Number(volume) }); // pages set strings, too
  }

  /** How it may be connected: `auto`, `ws` or `webrtc`. */
  get mode() {
    const mode = this.getAttribute("mode") ?? "auto";
    return MODES.includes(mode) ? mode : "auto";
  }

  set mode(mode) {
    this.setAttribute("mode", mode);
  }

  /** How it is connected, and why: `mode` is `ws`, `webrtc` or `switching`. */
  get transport() {
    const { mode = "ws", reason = "" } = this.#player?.upgrade ?? {};
    return { mode, reason };
  }

  /** Whether captions are shown. */
  get captions() {
    return this.#wishes.captions;
  }

  set captions(visible) {
    this.#wish({ captions: Boolean(visible) });
  }

  /** Whether the figures are shown. */
  get showStats() {
    return this.#wishes.showStats;
  }

  set showStats(visible) {
    this.#wish({ showStats: Boolean(visible) });
  }

  connectedCallback() {
    this.#adopt();
    const canvas = /** @type {HTMLCanvasElement} */ (this.#find("canvas"));
    const video = /** @type {HTMLVideoElement} */ (this.#find("video"));
    const player = (this.#player = new Player(canvas, video, {
      url: () => this.#url,
      audio: /** @type {any} */ (this.getAttribute("audio") ?? "auto"),
      video: /** @type {any} */ (this.getAttribute("video") ?? "auto"),
      token: this.getAttribute("token") ?? undefined,
      mode: /** @type {any} */ (this.mode),
    }));
    const captions = new Captions(this.#find(".captions"), (nowMs) => player.mediaMs(nowMs));
    const stats = new Stats(this.#find(".stats"), () => player.stats());
    const controls = new Controls(/** @type {HTMLFormElement} */ (this.#find("form")), this);
    this.#ui = { captions, stats, controls };
    let clock = "";

    /** @type {Record<string, (detail: any) => void>} */
    const on = {
      welcome: ({ session, agent, video }) => {
        if (session !== clock) captions.clear();
        clock = session;
        this.style.setProperty("--aspect", `${video.width} / ${video.height}`);
        canvas.ariaLabel = `${agent.title}, a talking avatar`;
        this.#showBadge();
      },
      caption: ({ text, atMs }) => captions.add(atMs, text),
      flush: () => captions.clear(),
      statechange: ({ value, atMs }) => {
        if (value === "idle") captions.end(atMs);
        controls.speaking = value === "speaking";
        this.#showBadge();
      },
      lockchange: () => this.#showLock(),
      modechange: () => this.#showBadge(),
      notice: ({ text, stays }) => this.#notice(text, stays),
    };
    listen(player, on);
    for (const name of PASSED_ON) {
      player.addEventListener(name, (event) => {
        const { detail } = /** @type {CustomEvent} */ (event);
        this.dispatchEvent(new CustomEvent(name, { detail }));
      });
    }

    this.#wish({});
    this.#showLock();
    this.#showBadge();
    player.open();
  }

  disconnectedCallback() {
    clearTimeout(this.#noticeTimer);
    this.#player?.close();
    this.#ui?.captions.close();
    this.#ui?.stats.close();
    this.#player = this.#ui = null;
  }

  /** @param {string} name @param {string | null} old @param {string | null} value */
  attributeChangedCallback(name, old, value) {
    if (old === value) return;
    if (name === "muted") this.#wish({ muted: value !== null });
    else if (name === "volume") this.#wish({ volume: Number(value ?? 1) });
    else if (name === "stats") this.#wish({ showStats: value !== null });
    else if (name === "controls") this.#find("form").hidden = value === "none";
    else if (!this.#player) return;
    else if (name === "mode") {
      this.#player.upgrade.wanted = /** @type {any} */ (this.mode);
      this.#ui?.controls.show();
    } else {
      this.disconnectedCallback();
      this.connectedCallback();
    }
  }

  /** Have it as is wished, as far as there is something to have it so.
   * @param {Partial<Wishes>} wishes those that are new */
  #wish(wishes) {
    const { volume: asked = this.#wishes.volume } = wishes;
    if (!Number.isFinite(asked)) return;
    Object.assign(this.#wishes, wishes, { volume: Math.max(0, Math.min(1, asked)) });
    const { muted, volume, captions, showStats } = this.#wishes;
    this.#find(".captions").hidden = !captions;
    if (!this.#player || !this.#ui) return;
    Object.assign(this.#player.output, { muted, volume });
    this.#ui.stats.visible = showStats;
    this.#ui.controls.show();
  }

  /** A property that was set before the element was defined hides its accessor: it is set again. */
  #adopt() {
    const self = /** @type {Record<string, any>} */ (/** @type {unknown} */ (this));
    for (const name of [...Object.keys(this.#wishes), "mode"]) {
      if (!Object.hasOwn(this, name)) continue;
      const value = self[name];
      delete self[name];
      self[name] = value;
    }
  }

  get #url() {
    const src = this.getAttribute("src") ?? document.baseURI;
    const agent = encodeURIComponent(this.getAttribute("agent") ?? "ada");
    const url = new URL(`ws/facetime/${agent}`, new URL(src, document.baseURI));
    url.protocol = url.protocol.replace("http", "ws");
    url.searchParams.set("start", "small");
    const session = this.getAttribute("session");
    if (session) url.searchParams.set("session", session);
    return url.href;
  }

  #showBadge() {
    const badge = this.#find(".badge");
    const live = !["connecting", "down"].includes(this.state);
    const { mode, reason } = this.transport;
    badge.dataset.state = !live ? this.state : mode === "switching" ? mode : "live";
    badge.title = live ? reason : "";
    const label = live ? NAMES[mode] : this.state === "down" ? "Offline" : "Connecting";
    badge.children[0].textContent = label;
  }

  #showLock() {
    this.#find(".tap").hidden = !this.#player?.output.locked;
  }

  /** @param {string} text @param {boolean} stays */
  #notice(text, stays) {
    clearTimeout(this.#noticeTimer);
    this.#find(".notice").textContent = text;
    if (text && !stays) this.#noticeTimer = setTimeout(() => this.#notice("", true), NOTICE_MS);
  }

  /** @param {string} selector */
  #find(selector) {
    return /** @type {HTMLElement} */ (this.#root.querySelector(selector));
  }
}
