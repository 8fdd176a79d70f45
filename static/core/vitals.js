// @ts-check
/**
 * Whether a peer's media still come, by when a picture and sound last did, and in time. Pure: times
 * come in.
 *
 * Both missing is a stall. One of them missing is one too, but only after long, and only in a page
 * that is seen: a hidden one need not be given pictures. What comes without a break, but seconds
 * behind, is no call any more: a browser's jitter buffer may hold ten.
 */

const STALL_MS = 1_500;
const HALF_STALL_MS = 5_000;
const [LATE_MS, LATE_FOR_MS] = [2_500, 3_000];
const [GOOD_SOUND_MS, GOOD_PICTURE_MS] = [400, 1_300];

export class Vitals {
  #heardMs = -Infinity;
  #seenMs = -Infinity;
  #visibleSinceMs = Infinity;
  #isGood = false;
  #goodSinceMs = Infinity;
  #inTimeMs = Infinity;
  #lookedMs = -Infinity;

  /**
   * @param {{heardAtMs: number, seenAtMs: number} | null} peer when sound and a picture last came
   * @param {number} nowMs @param {boolean} visible whether the page is
   * @param {number} behindMs by how much what is presented of it is behind, where that is known
   */
  look(peer, nowMs, visible, behindMs = NaN) {
    const isBehind = visible && behindMs > LATE_MS;
    const wasAway = nowMs - this.#lookedMs > LATE_FOR_MS; // frozen, it saw nothing
    if (!isBehind || wasAway) this.#inTimeMs = nowMs;
    this.#lookedMs = nowMs;
    this.#heardMs = peer?.heardAtMs ?? -Infinity;
    this.#seenMs = peer?.seenAtMs ?? -Infinity;
    if (!visible) this.#visibleSinceMs = Infinity;
    else if (this.#visibleSinceMs === Infinity) this.#visibleSinceMs = nowMs;
    this.#isGood = this.sounds(nowMs) && nowMs - this.#seenMs < GOOD_PICTURE_MS;
    if (!this.#isGood) this.#goodSinceMs = Infinity;
    else if (this.#goodSinceMs === Infinity) this.#goodSinceMs = nowMs;
  }

  /** A new count of how long all is good. */
  doubt() {
    this.#goodSinceMs = Infinity;
  }

  /** Whether sound flows. @param {number} nowMs */
  sounds(nowMs) {
    return nowMs - this.#heardMs < GOOD_SOUND_MS;
  }

  /** Whether pictures were ever taken from the network. */
  get hasSeen() {
    return this.#seenMs > -Infinity;
  }

  /** Whether pictures and sound come now. */
  get isGood() {
    return this.#isGood;
  }

  /** For how long pictures and sound have come without a break. @param {number} nowMs */
  goodMs(nowMs) {
    return Math.max(0, nowMs - this.#goodSinceMs);
  }

  /** Whether what comes has been far behind for long. @param {number} nowMs */
  isLate(nowMs) {
    return nowMs - this.#inTimeMs > LATE_FOR_MS;
  }

  /** @param {number} nowMs */
  isStalled(nowMs) {
    const missing = [nowMs - this.#heardMs, nowMs - this.#seenMs];
    if (Math.min(...missing) > STALL_MS) return true;
    return nowMs - this.#visibleSinceMs > HALF_STALL_MS && Math.max(...missing) > HALF_STALL_MS;
  }
}
