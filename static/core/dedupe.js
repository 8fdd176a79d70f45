// @ts-check
/**
 * Drops the second copy of what comes both by the socket and by the data channel. Pure.
 *
 * Copies are equal in every field, so that a sentence that is corrected under its old id is no
 * copy of itself.
 */

const KINDS = Object.freeze(["transcript", "state", "emotion", "flush"]);
const REMEMBERED = 256;

export class Dedupe {
  /** In the order in which they came. @type {Set<string>} */
  #seen = new Set();
  dropped = 0;

  /** Whether a message has not been there before. What is never sent twice is always new.
   * @param {{type: string, [field: string]: any}} message */
  isNew(message) {
    if (!KINDS.includes(message.type)) return true;
    const key = JSON.stringify(Object.entries(message).sort(([a], [b]) => (a < b ? -1 : 1)));
    if (this.#seen.has(key)) {
      this.dropped++;
      return false;
    }
    this.#seen.add(key);
    if (this.#seen.size > REMEMBERED) {
      for (const oldest of this.#seen) {
        this.#seen.delete(oldest);
        break;
      }
    }
    return true;
  }

  /** A new socket tells the state of things anew. */
  reset() {
    this.#seen.clear();
  }
}
