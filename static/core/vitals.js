// @ts-check
/**
 * Whether a peer's media still come, by when a picture and sound last did. Pure: times come in.
 *
 * Both missing is a stall. One of them missing is one too, but only after long, and only in a page
 * that is seen: a hidden one need not be given pictures.
 */

const STALL_MS = 1_500;
const HALF_STALL_MS = 5_000;
const [GOOD_SOUND_MS, GOOD_PICTURE_MS] = [400, 1_300];

export class Vitals {
  #heardMs = -Infinity;
  #seenMs = -Infinity;
  #visibleSinceMs = Infinity;
  #isGood = false;
  #goodSinceMs = Infinity;

  /**
   * @param {{heardAtMs: number, seenAtMs: number} | null} peer when sound and a picture last came
   * @param {number} nowMs @param {boolean} visible whether the page is
   */
  look(peer, nowMs, visible) {
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

  /** @param {number} nowMs */
  isStalled(nowMs) {
    const missing = [nowMs - this.#heardMs, nowMs - this.#seenMs];
    if (Math.min(...missing) > STALL_MS) return true;
    return nowMs - this.#visibleSinceMs > HALF_STALL_MS && Math.max(...missing) > HALF_STALL_MS;
  }
}
