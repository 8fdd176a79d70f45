// @ts-check
/** The overlay of figures: reads `player.stats()` twice a second and changes nothing. */

const PERIOD_MS = 500;

/** @param {number} value @param {string} unit @param {number} [digits] */
const figure = (value, unit, digits = 0) =>
  Number.isFinite(value) ? `${value.toFixed(digits)} ${unit}` : "–";

/** @type {Record<string, string>} */
export const NAMES = { ws: "WebSocket", webrtc: "WebRTC", switching: "Switching" };

/** @type {[string, (s: any) => string][]} */
const ROWS = [
  ["mode", (s) => `${NAMES[s.mode]} · ${s.videoCodec} · ${s.audioDecoder}`],
  ["path", (s) => `${s.path}${s.candidate ? ` · ${s.candidate}` : ""}`],
  ["why", (s) => s.reason],
  ["picture", (s) => `${s.width}×${s.height} · ${figure(s.fps, "fps", 1)}`],
  ["bandwidth", (s) => figure(s.kbps, "kbit/s")],
  ["latency", (s) => `${figure(s.latencyMs, "ms")} · rtt ${figure(s.rttMs, "ms")}`],
  [
    "sound held",
    (s) =>
      s.audioDecoder === "webrtc"
        ? `jitter ${figure(s.jitterMs, "ms", 1)}`
        : `${figure(s.bufferedMs, "ms")} of ${figure(s.targetMs, "ms")}`,
  ],
  ["A/V offset", (s) => figure(s.skewMs, "ms")],
  ["dropped", (s) => `${s.dropped} pictures · ${figure(s.silenceMs, "ms")} of sound · ${figure(s.concealedMs, "ms")} concealed`],
];

export class Stats {
  #element;
  #read;
  #timer;

  /** @param {HTMLElement} element @param {() => any} read */
  constructor(element, read) {
    this.#element = element;
    this.#read = read;
    this.#timer = setInterval(() => this.#show(), PERIOD_MS);
  }

  /** @param {boolean} visible */
  set visible(visible) {
    this.#element.hidden = !visible;
    this.#show();
  }

  close() {
    clearInterval(this.#timer);
  }

  #show() {
    if (this.#element.hidden) return;
    const stats = this.#read();
    this.#element.replaceChildren(
      ...ROWS.flatMap(([name, text]) => [element("dt", name), element("dd", text(stats))]),
    );
  }
}

/** @param {string} tag @param {string} text */
function element(tag, text) {
  const made = document.createElement(tag);
  made.textContent = text;
  return made;
}
