// @ts-check
/** The last seconds of sound, by the number of each sample. Pure. */

export const INAUDIBLE = 0.001;

export class Samples {
  #held;

  /** @param {number} capacity how many it remembers */
  constructor(capacity) {
    this.#held = new Float32Array(capacity);
  }

  /** @param {number} number @param {number} sample */
  put(number, sample) {
    this.#held[number % this.#held.length] = sample;
  }

  /** @param {number} number */
  at(number) {
    return this.#held[number % this.#held.length];
  }

  /** The last so many before that one. @param {number} number @param {number} length */
  before(number, length) {
    return Float32Array.from({ length }, (_, i) => this.at(Math.max(0, number - length + i)));
  }

  /** Between two samples, by a straight line. @param {number} place */
  between(place) {
    const whole = Math.floor(place);
    const part = place - whole;
    return this.at(whole) * (1 - part) + this.at(whole + 1) * part;
  }

  /** Whether nothing is to be heard there. What is not held, or not any more, may be heard.
   * @param {number} from @param {number} length @param {number} end the number after the last */
  isQuiet(from, length, end) {
    const start = Math.floor(from);
    if (start < 0 || start < end - this.#held.length || start + length > end) return false;
    for (let number = start; number < start + length; number++) {
      if (Math.abs(this.at(number)) > INAUDIBLE) return false;
    }
    return true;
  }
}
