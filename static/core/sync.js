// @ts-check
/**
 * Which media time is being presented now. Sound is the master: while it plays, media time is what
 * the listener hears. Without it, media time follows the quickest arrivals. No DOM: times come in.
 */

/** Arrivals are remembered for so long, so that one quick packet long ago is no measure for ever. */
const WINDOW_MS = 10_000;
/** A report of the sound's place is believed for so long. */
const SOUND_FRESH_MS = 500;

export class Sync {
  /** @type {{atMs: number, offsetMs: number}[]} */
  #arrivals = [];
  /** @type {{mediaMs: number, atMs: number} | null} */
  #sound = null;
  #leadsSinceMs = 0;

  /**
   * Something with this timestamp arrived.
   * @param {number} mediaMs @param {number} nowMs
   */
  arrived(mediaMs, nowMs) {
    const offsetMs = nowMs - mediaMs;
    // A monotonic queue: the front is the least offset within the window.
    while (this.#arrivals.length && this.#arrivals[this.#arrivals.length - 1].offsetMs >= offsetMs) {
      this.#arrivals.pop();
    }
    this.#arrivals.push({ atMs: nowMs, offsetMs });
    while (this.#arrivals[0].atMs < nowMs - WINDOW_MS) this.#arrivals.shift();
  }

  /**
   * The sound of `mediaMs` is heard at `atMs`; `null` when none is playing.
   * @param {number | null} mediaMs @param {number} atMs
   */
  heard(mediaMs, atMs) {
    if (mediaMs === null || !this.soundLeads(atMs)) this.#leadsSinceMs = atMs;
    this.#sound = mediaMs === null ? null : { mediaMs, atMs };
  }

  /** Whether sound sets the time. @param {number} nowMs */
  soundLeads(nowMs) {
    return this.#sound !== null && nowMs - this.#sound.atMs < SOUND_FRESH_MS;
  }

  /** For how long sound has set the time without a break. @param {number} nowMs */
  soundLedMs(nowMs) {
    return this.soundLeads(nowMs) ? nowMs - this.#leadsSinceMs : 0;
  }

  /**
   * The media time presented at `nowMs`; `null` when nothing has come yet.
   * @param {number} nowMs @returns {number | null}
   */
  mediaMs(nowMs) {
    if (this.#sound !== null && this.soundLeads(nowMs)) {
      return this.#sound.mediaMs + (nowMs - this.#sound.atMs);
    }
    return this.#arrivals.length ? nowMs - this.#arrivals[0].offsetMs : null;
  }

  /** A new session has a new clock. */
  reset() {
    this.#arrivals = [];
    this.#sound = null;
  }
}
