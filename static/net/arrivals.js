// @ts-check
/**
 * When WebRTC's pictures came, for the server, which cannot see it: that tells what the link carries
 * (protocol.md, section 7). Pure.
 */
import { toU32 } from "../core/protocol.js";

/** Told in one message, together. */
const TELL_MS = 200;
const MOST = 64;

export class Arrivals {
  /** @type {[number, number][]} */
  #pictures = [];
  #toldMs = -Infinity;

  /**
   * One more was shown. What there is to be told, if it is time.
   * @param {number} mediaMs
   * @param {number | null | undefined} receivedMs when its last packet came, where the browser knows
   * @param {number} nowMs
   */
  add(mediaMs, receivedMs, nowMs) {
    const isKnown = Number.isFinite(receivedMs) && Number(receivedMs) >= 0;
    if (isKnown) this.#pictures.push([toU32(Math.round(mediaMs)), Number(receivedMs)]);
    if (!this.#pictures.length || nowMs - this.#toldMs < TELL_MS) return null;
    this.#toldMs = nowMs;
    return { type: "arrived", pictures: this.#pictures.splice(0).slice(-MOST) };
  }
}
