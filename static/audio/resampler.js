// @ts-check
/**
 * From one sample rate to another by straight lines, across block borders without a click. For PCM
 * at a lower rate, and for the browser that will not open an output at 48 kHz. Pure.
 */
export class Resampler {
  #step;
  #last = 0;
  /** Where the next output sample lies, in input samples; -1 is the last sample of the block before. */
  #next = 0;

  /** @param {number} from @param {number} to samples per second */
  constructor(from, to) {
    this.#step = from / to;
  }

  /** @param {Float32Array} input @returns {Float32Array} */
  push(input) {
    if (this.#step === 1) return input;
    const count = Math.max(0, Math.ceil((input.length - 1 - this.#next) / this.#step));
    const output = new Float32Array(count);
    for (let i = 0; i < count; i++) {
      const place = this.#next + i * this.#step;
      const whole = Math.floor(place);
      const a = whole < 0 ? this.#last : input[whole];
      output[i] = a + (input[whole + 1] - a) * (place - whole);
    }
    this.#next += count * this.#step - input.length;
    this.#last = input[input.length - 1];
    return output;
  }
}
