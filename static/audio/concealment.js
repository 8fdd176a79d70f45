// @ts-check
/**
 * What is heard where sound has run out: its last period again and again, dying away (the way of
 * ITU-T G.711 Appendix I), so that a short want of it is no hole. Pure.
 */
import { INAUDIBLE } from "./samples.js";

/** The voices' periods that are looked for: 400 down to 66 Hz. */
const [LEAST_MS, MOST_MS] = [2.5, 15];
/** What has to be alike, a period before. */
const ALIKE_MS = 10;
/** At full level for so long; by then it has died away. */
const [FULL_MS, GONE_MS] = [10, 60];
/** In which it gives way to sound that has come. */
const FADE_MS = 8;
/** In which the step to its first sample dies away. */
const STEP_MS = 1;
/** Only each so many samples are compared at first. */
const COARSE = 4;

export class Concealment {
  #rate;
  #period = new Float32Array(0);
  #played = 0;
  /** Left to be heard, in samples; and as many as the fade began with. */
  #left = 0;
  #fade = 1;
  #step = 0;

  /** @param {number} rate samples per second */
  constructor(rate) {
    this.#rate = rate;
  }

  /** Whether it is heard. */
  get sounds() {
    return this.#left > 0;
  }

  /** How much sound before the end it needs to see, in samples. */
  get wants() {
    return this.#samples(2 * MOST_MS + ALIKE_MS);
  }

  /** Sound ends here. @param {Float32Array} before the last `wants` samples */
  begin(before) {
    this.#left = 0;
    if (before.every((sample) => Math.abs(sample) < INAUDIBLE)) return;
    const length = this.#periodOf(before);
    const end = before.length;
    const join = length >> 2;
    this.#period = before.slice(end - length);
    for (let i = length - join, n = 1; i < length; i++, n++) {
      const weight = n / (join + 1); // its end leads to its beginning
      this.#period[i] += (before[end - 2 * length + i] - this.#period[i]) * weight;
    }
    this.#played = 0;
    this.#left = this.#samples(GONE_MS);
    this.#fade = this.#samples(GONE_MS - FULL_MS);
    this.#step = before[end - 1] - this.#period[0];
  }

  /** Other sound is there again. */
  end() {
    const gain = Math.min(1, this.#left / this.#fade);
    const fade = this.#samples(FADE_MS);
    const left = Math.round(fade * gain);
    if (left < this.#left) [this.#left, this.#fade] = [left, fade];
  }

  /** Add what is heard of it. How many samples that were. @param {Float32Array} out @param {number} [from] */
  add(out, from = 0) {
    const heard = Math.max(0, Math.min(this.#left, out.length - from));
    const decay = Math.exp(-1000 / (STEP_MS * this.#rate));
    for (let i = from; i < from + heard; i++) {
      const gain = Math.min(1, this.#left-- / this.#fade);
      out[i] += (this.#period[this.#played++ % this.#period.length] + this.#step) * gain;
      this.#step *= decay;
    }
    return heard;
  }

  /** @param {number} ms */
  #samples(ms) {
    return Math.round((ms * this.#rate) / 1000);
  }

  /** After how many samples its end is most like itself. @param {Float32Array} before */
  #periodOf(before) {
    const [least, most] = [this.#samples(LEAST_MS), this.#samples(MOST_MS)];
    let best = this.#mostAlike(before, least, most, COARSE);
    best = this.#mostAlike(before, best - COARSE, best + COARSE, 1);
    return Math.max(least, Math.min(most, best));
  }

  /** @param {Float32Array} before @param {number} least @param {number} most @param {number} stride */
  #mostAlike(before, least, most, stride) {
    const from = before.length - this.#samples(ALIKE_MS);
    let [best, highest] = [least, -Infinity];
    for (let lag = least; lag <= most; lag += stride) {
      let [product, energy] = [0, 1e-9];
      for (let i = from; i < before.length; i += stride) {
        product += before[i] * before[i - lag];
        energy += before[i - lag] ** 2;
      }
      const alike = product / Math.sqrt(energy);
      if (alike > highest) [best, highest] = [lag, alike];
    }
    return best;
  }
}
