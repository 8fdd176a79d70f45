// @ts-check
/** RTP timestamps to media time and back, by the origins in the `rtp` message. Pure. */

const U32 = 2 ** 32;
const TICKS_PER_MS = Object.freeze({ audio: 48, video: 90 });

export class RtpClock {
  #origins;

  /** @param {{audio: number, video: number}} origins the RTP timestamps of media time 0, mod 2^32 */
  constructor({ audio, video }) {
    this.#origins = { audio, video };
  }

  /**
   * Media time of an RTP timestamp. It wraps twice a day: the one nearest to `nearMs` is meant.
   * @param {"audio" | "video"} kind @param {number} timestamp @param {number} nearMs
   */
  mediaMs(kind, timestamp, nearMs) {
    const perMs = TICKS_PER_MS[kind];
    const ticks = (((timestamp - this.#origins[kind]) % U32) + U32) % U32;
    const turns = Math.round((nearMs * perMs - ticks) / U32);
    return (ticks + turns * U32) / perMs;
  }
}
