// @ts-check
/**
 * How much sound is held against jitter. Pure.
 *
 * A little more each time it runs dry, a little less for each while in which it does not. Where it
 * runs dry again and again, as much more as was missing: TCP sends a lost segment again after 200 ms
 * and more, which no small step would bridge.
 */

export const MIN_TARGET_MS = 40;
export const MAX_TARGET_MS = 160;
/** With the 150 ms that a picture takes else, what is seen is not yet 400 ms old. */
export const MOST_TARGET_MS = 240;
const START_MS = 60;
const UP_MS = 20;
const DOWN_MS = 5;
const CALM_MS = 10_000;
const AGAIN_MS = 20_000;

export class Target {
  ms = START_MS;
  #calmMs = 0;
  #sinceDryMs = Infinity;
  #silentMs = 0;
  /** Whether it had run dry not long before. */
  #again = false;

  /** So much was played. @param {number} ms */
  played(ms) {
    this.#sinceDryMs += ms;
    this.#calmMs += ms;
    if (this.#calmMs < CALM_MS) return;
    this.#calmMs = 0;
    const downMs = Math.max(DOWN_MS, (this.ms - MAX_TARGET_MS) / 4);
    this.ms = Math.max(MIN_TARGET_MS, this.ms - downMs);
  }

  /** Nothing was left. */
  ranDry() {
    this.#again = this.#sinceDryMs < AGAIN_MS;
    this.#calmMs = this.#sinceDryMs = this.#silentMs = 0;
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
