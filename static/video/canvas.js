// @ts-check
/**
 * Pictures to a canvas, each when its sound is heard. Decoding is off the main thread, drawing in
 * requestAnimationFrame; a hidden page draws nothing. A whole picture makes those before it needless;
 * patches are drawn in order, all of them, onto what is there.
 */
import { PictureDecoder } from "./decoder.js";

/** Decoded and waiting for their time. More than this many means the clock stands. */
const MAX_WAITING = 16;
/** Older than what is shown by up to this much is out of order; by more, the clock was wrong. */
const OUT_OF_ORDER_MS = 2000;
/** A picture is drawn when its time is nearer than the next refresh's. */
const EARLY_MS = 8;
/** A new beginning is asked for at most this often. */
const ASK_MS = 500;

const isVisible = () => document.visibilityState === "visible";

/** @typedef {import("./decoder.js").Drawable} Drawable */

/**
 * Events: `drawn`, `detail` is `{mediaMs, decodeMs, heldMs, shown}`; `shown` is false for one that
 * was only let go. `broken` when what comes cannot be drawn onto what is there, and a whole picture
 * is needed. `unable` when H.264 had better not come at all.
 */
export class PictureCanvas extends EventTarget {
  #canvas;
  #context;
  #clock;
  #decoder = new PictureDecoder();
  /** @type {Drawable[]} */
  #waiting = [];
  #frame = 0;
  #lastMs = -Infinity;
  /** Whether patches fit what is on the canvas. */
  #based = false;
  #askedMs = -Infinity;
  #closed = false;
  /** While true, nothing is drawn: what is due is let go, since something else is seen. */
  paused = false;
  counts = { drawn: 0, late: 0, failed: 0, overrun: 0 };

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {(nowMs: number) => number | null} clock the media time presented at a performance.now()
   */
  constructor(canvas, clock) {
    super();
    this.#canvas = canvas;
    this.#context = /** @type {CanvasRenderingContext2D} */ (
      canvas.getContext("2d", { alpha: false })
    );
    this.#clock = clock;
    document.addEventListener("visibilitychange", this.#look);
    const decoder = this.#decoder;
    const listen = (/** @type {string} */ name, /** @type {(detail: any) => void} */ act) =>
      decoder.addEventListener(name, (event) => act(/** @type {CustomEvent} */ (event).detail));
    listen("ready", (made) => this.#ready(made));
    listen("broken", () => this.#break());
    listen("unable", () => this.dispatchEvent(new Event("unable")));
    // Acknowledged all the same, or the window would stay shut.
    listen("failed", ({ mediaMs, overrun }) => {
      this.counts[overrun ? "overrun" : "failed"]++;
      this.#tell(mediaMs, 0, 0, false);
    });
  }

  /** A payload. @param {number} type @param {number} mediaMs @param {Uint8Array} payload */
  push(type, mediaMs, payload) {
    this.#decoder.push(type, mediaMs, payload);
  }

  get size() {
    const { width, height } = this.#canvas;
    return { width, height };
  }

  /** Show what a video shows. @param {HTMLVideoElement} video @param {number} mediaMs */
  take(video, mediaMs) {
    const { videoWidth: width, videoHeight: height } = video;
    if (!width || !height) return;
    this.#fit(width, height);
    this.#context.drawImage(video, 0, 0, width, height);
    this.#lastMs = mediaMs;
    this.#based = false;
  }

  /** Another clock begins. What is on the canvas stays. */
  reset() {
    this.#decoder.reset();
    for (const picture of this.#waiting.splice(0)) picture.close();
    this.#lastMs = -Infinity;
    this.#based = false;
  }

  close() {
    this.#closed = true;
    document.removeEventListener("visibilitychange", this.#look);
    cancelAnimationFrame(this.#frame);
    this.reset();
    this.#decoder.close();
  }

  /** @param {Drawable} picture */
  #ready(picture) {
    if (this.#closed) return picture.close();
    if (this.#waiting.length >= MAX_WAITING) {
      this.counts.overrun++;
      if (!picture.whole) this.#break();
      this.#tell(picture.mediaMs, picture.decodeMs, 0, false);
      return picture.close();
    }
    this.#waiting.push(picture);
    this.#frame ||= requestAnimationFrame(this.#draw);
    this.#look();
  }

  /** A hidden page is not refreshed: what waits would wait until it is shown, hours perhaps. */
  #look = () => {
    if (isVisible()) return;
    cancelAnimationFrame(this.#frame);
    this.#draw();
  };

  #draw = () => {
    this.#frame = 0;
    if (this.#closed) return;
    const nowMs = performance.now();
    const mediaMs = (isVisible() ? this.#clock(nowMs) : null) ?? Infinity;
    const later = this.#waiting.findIndex((picture) => picture.mediaMs > mediaMs + EARLY_MS);
    const due = this.#waiting.splice(0, later < 0 ? this.#waiting.length : later);
    if (due.length) this.#present(due, nowMs);
    for (const picture of due) picture.close();
    if (this.#waiting.length) this.#frame = requestAnimationFrame(this.#draw);
  };

  /** @param {Drawable[]} due @param {number} nowMs */
  #present(due, nowMs) {
    const last = due[due.length - 1];
    const unseen = this.paused || !isVisible();
    const shown = !unseen && !this.#isOld(last.mediaMs) && this.#show(due);
    if (!shown) this.#based = false;
    this.#tell(last.mediaMs, last.decodeMs, nowMs - last.readyMs, shown);
  }

  /** Whether they could be drawn. @param {Drawable[]} due */
  #show(due) {
    const begin = due.findLastIndex((picture) => picture.whole);
    this.counts.late += due.length - 1;
    if (begin < 0 && !this.#based) {
      this.#break();
      return false;
    }
    for (const picture of due.slice(Math.max(0, begin))) {
      if (picture.whole) this.#fit(picture.width, picture.height);
      picture.draw(this.#context);
    }
    this.#based = true;
    this.#lastMs = due[due.length - 1].mediaMs;
    this.counts.drawn++;
    return true;
  }

  /** Patches are of no use from here on, until there is a whole picture. */
  #break() {
    this.#based = false;
    const nowMs = performance.now();
    if (nowMs - this.#askedMs < ASK_MS) return;
    this.#askedMs = nowMs;
    this.dispatchEvent(new Event("broken"));
  }

  /** Whether something newer is shown. @param {number} mediaMs */
  #isOld(mediaMs) {
    const behindMs = this.#lastMs - mediaMs;
    return behindMs >= 0 && behindMs < OUT_OF_ORDER_MS;
  }

  /** @param {number} width @param {number} height */
  #fit(width, height) {
    if (this.#canvas.width === width && this.#canvas.height === height) return;
    this.#canvas.width = width;
    this.#canvas.height = height;
  }

  /** @param {number} mediaMs @param {number} decodeMs @param {number} heldMs
   * @param {boolean} shown */
  #tell(mediaMs, decodeMs, heldMs, shown) {
    const detail = { mediaMs, decodeMs, heldMs, shown };
    this.dispatchEvent(new CustomEvent("drawn", { detail }));
  }
}
