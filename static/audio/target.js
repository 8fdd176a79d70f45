// @ts-check
/**
 * How much sound is held against jitter. Pure.
 *
 * A little more each time it runs dry, a little less for each while in which it does not, or half of
 * what lay idle. Where it runs dry again and again, as much more as was missing: TCP sends a lost
 * segment again after 200 ms and more, which no small step would bridge.
 */

export const MIN_TARGET_MS = 40;
export const MAX_TARGET_MS = 160;
/** With the 150 ms that a picture takes else, what is seen is not yet 400 ms old. */
export const MOST_TARGET_MS = 240;
const START_MS = 60;
const UP_MS = 20;
const DOWN_MS = 5;
const CALM_MS = 10_000;
/** This is not idle, though it was not needed in two such whiles. */
const SPARE_MS = 40;
/** A fall is no deeper, and less where more is held than is aimed at: none of that is to be skipped. */
const [MOST_DOWN_MS, MOST_EXCESS_MS] = [60, 120];
const AGAIN_MS = 20_000;

export class Target {
  ms = START_MS;
  #calmMs = 0;
  /** The least that was held, in this while and in the one before. */
  #leastMs = Infinity;
  #leastBeforeMs = 0;
  #sinceDryMs = Infinity;
  #silentMs = 0;
  /** Whether it had run dry not long before. */
  #again = false;

  /** So much was played, and so much is left of what is aimed at, and so much beyond it.
   * @param {number} ms @param {number} heldMs @param {number} [excessMs] */
  played(ms, heldMs, excessMs = 0) {
    this.#sinceDryMs += ms;
    this.#calmMs += ms;
    this.#leastMs = Math.min(this.#leastMs, heldMs);
    if (this.#calmMs < CALM_MS) return;
    this.#calmMs = 0;
    const idleMs = Math.min(this.#leastMs, this.#leastBeforeMs);
    [this.#leastBeforeMs, this.#leastMs] = [this.#leastMs, Infinity];
    const mostMs = Math.min(MOST_DOWN_MS, MOST_EXCESS_MS - excessMs);
    const downMs = Math.max(DOWN_MS, Math.min(mostMs, (idleMs - SPARE_MS) / 2));
    this.ms = Math.max(MIN_TARGET_MS, this.ms - downMs);
  }

  /** Nothing was left. */
  ranDry() {
    this.#again = this.#sinceDryMs < AGAIN_MS;
    this.#calmMs = this.#sinceDryMs = this.#silentMs = this.#leastBeforeMs = 0;
    this.#leastMs = Infinity;
    this.ms = Math.max(this.ms, Math.min(MAX_TARGET_MS, this.ms + UP_MS));
  }

  /** So long nothing was heard. @param {number} ms */
  waited(ms) {
    this.#silentMs += ms;
  }

  /** Play goes on. */
  resumed() {
    const bridged = this.#silentMs <= MOST_TARGET_MS;
    if (this.#again && bridged) this.ms = Math.min(MOST_TARGET_MS, this.ms + this.#silentMs);
    this.#again = false;
  }
}
