// @ts-check
/**
 * Sound by its timestamp, played at an even pace. Pure: no DOM, no clock; it runs in an AudioWorklet
 * and under a test runner alike.
 *
 * Policy, in the order it applies to what is written:
 *   - late (its time has been played): dropped, counted
 *   - a gap before it (the server had to drop): filled with silence, counted
 *   - too much held: skipped down to the target, counted
 * and to what is read:
 *   - nothing left: silence, and play goes on when the target is held again; the target grows
 *   - too much or too little held: played up to 1 % faster or slower
 */

export const MIN_TARGET_MS = 40;
export const MAX_TARGET_MS = 160;
const START_TARGET_MS = 60;
const TARGET_UP_MS = 20;
const TARGET_DOWN_MS = 5;
const CALM_MS = 10_000;
/** More than this above the target is skipped rather than played faster. */
const EXCESS_MS = 200;
const MAX_SPEED = 0.01;
const CAPACITY_MS = 2_000;
const FADE_MS = 8;

export class RingBuffer {
  #samples;
  #rate;
  /** Media position, in samples, of the next sample to be played; fractional. */
  #read = 0;
  /** Media position after the last sample held. */
  #write = 0;
  /** Media position before which nothing is to be heard any more. */
  #silentUntil = 0;
  #playing = false;
  #empty = true;
  /** Nothing was played yet. */
  #fresh = true;
  #targetMs = START_TARGET_MS;
  #calmMs = 0;
  #levelMs = START_TARGET_MS;
  /** Fades the first samples after silence in. */
  #gain = 0;

  counts = { underruns: 0, lateMs: 0, gapMs: 0, skippedMs: 0 };

  /** @param {number} rate samples per second */
  constructor(rate) {
    this.#rate = rate;
    this.#samples = new Float32Array(Math.ceil((CAPACITY_MS * rate) / 1000));
  }

  /** Milliseconds held. */
  get bufferedMs() {
    return this.#toMs(this.#write - this.#read);
  }

  get targetMs() {
    return this.#targetMs;
  }

  /** Whether sound comes out; while not, silence does. */
  get playing() {
    return this.#playing;
  }

  /** Media time of the next sample to be played. */
  get mediaMs() {
    return this.#toMs(this.#read);
  }

  /** @param {number} mediaMs of its first sample @param {Float32Array} pcm */
  write(mediaMs, pcm) {
    let at = Math.round((mediaMs * this.#rate) / 1000);
    if (this.#empty) {
      this.#read = this.#write = at;
      this.#empty = false;
    }
    const gap = at - this.#write;
    if (Math.abs(gap) <= this.#rate / 1000) at = this.#write; // rounding, not a gap
    else if (gap > 0) this.#fillGap(gap);
    const late = Math.max(0, this.#write - at);
    if (late >= pcm.length) {
      this.counts.lateMs += this.#toMs(pcm.length);
      return;
    }
    this.counts.lateMs += this.#toMs(late);
    for (let i = late; i < pcm.length; i++) {
      const silent = this.#write < this.#silentUntil;
      this.#put(this.#write++, silent ? 0 : pcm[i]);
    }
    this.#skipExcess();
  }

  /** Fill `out` with what is due. @param {Float32Array} out */
  read(out) {
    const blockMs = this.#toMs(out.length);
    if (!this.#playing && this.bufferedMs >= this.#targetMs) this.#start();
    if (!this.#playing) {
      out.fill(0);
      return;
    }
    const speed = this.#speed(blockMs);
    if (this.#write - this.#read < out.length * speed + 1) {
      this.#underrun(out);
      return;
    }
    const fade = 1000 / (FADE_MS * this.#rate);
    for (let i = 0; i < out.length; i++) {
      const whole = Math.floor(this.#read);
      const part = this.#read - whole;
      const sample = this.#at(whole) * (1 - part) + this.#at(whole + 1) * part;
      this.#gain = Math.min(1, this.#gain + fade);
      out[i] = sample * this.#gain;
      this.#read += speed;
    }
    this.#calmMs += blockMs;
    if (this.#calmMs >= CALM_MS) {
      this.#calmMs = 0;
      this.#targetMs = Math.max(MIN_TARGET_MS, this.#targetMs - TARGET_DOWN_MS);
    }
  }

  /**
   * What lies between will not be said: held or still to come, it becomes silence, so that the
   * clock goes on. The first few ms fade.
   * @param {number} fromMs @param {number} untilMs
   */
  flush(fromMs, untilMs) {
    const from = Math.max(Math.ceil(this.#read) + 1, Math.round((fromMs * this.#rate) / 1000));
    this.#silentUntil = Math.round((untilMs * this.#rate) / 1000);
    const fade = Math.round((FADE_MS * this.#rate) / 1000);
    for (let at = from; at < this.#write; at++) {
      const gain = Math.max(0, 1 - (at - from) / fade);
      this.#put(at, this.#at(at) * gain);
    }
  }

  /** Forget everything: another session's clock. */
  reset() {
    this.#playing = false;
    this.#empty = this.#fresh = true;
    this.#read = this.#write = this.#silentUntil = 0;
    this.#gain = 0;
  }

  /** @param {number} samples */
  #toMs(samples) {
    return (samples * 1000) / this.#rate;
  }

  /** @param {number} at @param {number} sample */
  #put(at, sample) {
    this.#samples[at % this.#samples.length] = sample;
  }

  /** @param {number} at */
  #at(at) {
    return this.#samples[at % this.#samples.length];
  }

  #start() {
    // What piled up before anything was heard is no loss; after an underrun it is speech.
    if (this.#fresh) this.#read = this.#write - (this.#targetMs * this.#rate) / 1000;
    this.#fresh = false;
    this.#playing = true;
    this.#levelMs = this.bufferedMs;
  }

  /** @param {number} gap */
  #fillGap(gap) {
    if (this.#toMs(gap) + this.bufferedMs > CAPACITY_MS / 2) {
      // Too long to wait through: play what came from where it is.
      this.counts.skippedMs += this.#toMs(gap) + this.bufferedMs;
      this.#write += gap;
      this.#read = this.#write;
      this.#playing = false;
      this.#gain = 0;
      return;
    }
    this.counts.gapMs += this.#toMs(gap);
    for (let i = 0; i < gap; i++) this.#put(this.#write++, 0);
  }

  #skipExcess() {
    const excessMs = this.bufferedMs - this.#targetMs - EXCESS_MS;
    if (excessMs <= 0) return;
    const skip = Math.round(((excessMs + EXCESS_MS) * this.#rate) / 1000);
    this.counts.skippedMs += this.#toMs(skip);
    this.#read += skip;
    this.#levelMs = this.bufferedMs;
    this.#gain = 0;
  }

  /** @param {number} blockMs */
  #speed(blockMs) {
    // Smoothed over about a second: packets come in steps of 20 ms.
    this.#levelMs += (this.bufferedMs - this.#levelMs) * Math.min(1, blockMs / 1000);
    const error = (this.#levelMs - this.#targetMs) / this.#targetMs;
    return 1 + MAX_SPEED * Math.max(-1, Math.min(1, Math.abs(error) < 0.15 ? 0 : error));
  }

  /** @param {Float32Array} out */
  #underrun(out) {
    // Give what is left, faded, then silence until the target is held again.
    const left = Math.max(0, Math.floor(this.#write - this.#read));
    for (let i = 0; i < out.length; i++) {
      out[i] = i < left ? this.#at(Math.floor(this.#read) + i) * this.#gain * (1 - i / left) : 0;
    }
    this.#read = this.#write;
    this.#playing = false;
    this.#gain = 0;
    this.#calmMs = 0;
    this.counts.underruns++;
    this.#targetMs = Math.min(MAX_TARGET_MS, this.#targetMs + TARGET_UP_MS);
  }
}
