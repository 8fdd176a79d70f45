// @ts-check
/**
 * How long a peer's pictures have to be held back, so that each is seen with its sound. Pure: what
 * is measured comes in.
 */

const [LEAST_MS, MOST_MS] = [0, 700];
const SAMPLES = 8;
/** Less is not seen. */
const GOOD_ENOUGH_MS = 8;
/** So long a change takes to show. */
const SETTLE_MS = 400;
/** So long a browser fills its jitter buffer, at first. */
const START_MS = 1000;

/** @param {number} delayMs */
const bounded = (delayMs) => Math.max(LEAST_MS, Math.min(MOST_MS, delayMs));

export class LipSync {
  #delayMs = 0;
  #notBeforeMs = -Infinity;
  /** @type {number[]} */
  #samples = [];

  /** @param {number} delayMs how long they are held back to begin with
   * @param {number} [nowMs] when that began */
  constructor(delayMs, nowMs = -Infinity) {
    this.#delayMs = delayMs;
    this.#notBeforeMs = nowMs + START_MS;
  }

  /** The sound is held so much longer from now on. Gives the delay that is right with that.
   * @param {number} ms @param {number} nowMs */
  shift(ms, nowMs) {
    this.#delayMs = bounded(this.#delayMs + ms);
    this.#samples = [];
    this.#notBeforeMs = Math.max(this.#notBeforeMs, nowMs + SETTLE_MS);
    return this.#delayMs;
  }

  /**
   * A picture was seen. Gives the delay that is right, null while none is known to be better.
   * @param {number} behindMs how much the sound is ahead of it @param {number} nowMs
   * @returns {number | null}
   */
  saw(behindMs, nowMs) {
    if (nowMs < this.#notBeforeMs) return null;
    this.#samples.push(behindMs);
    if (this.#samples.length < SAMPLES) return null;
    const middleMs = this.#samples.sort((a, b) => a - b)[SAMPLES >> 1];
    this.#samples = [];
    if (Math.abs(middleMs) < GOOD_ENOUGH_MS) return null;
    const delayMs = bounded(this.#delayMs - middleMs);
    if (delayMs === this.#delayMs) return null;
    this.#delayMs = delayMs;
    this.#notBeforeMs = nowMs + SETTLE_MS;
    return delayMs;
  }
}
