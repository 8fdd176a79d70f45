// @ts-check
/**
 * Sound by its timestamp, played at an even pace. Pure: no DOM, no clock; it runs in an AudioWorklet
 * and under a test runner alike.
 *
 * Policy, in the order it applies to what is written:
 *   - late (its time has been played): dropped, counted
 *   - a gap before it (the server had to drop): faded over, with silence between, counted
 *   - too much held: skipped down to the target, counted
 * and to what is read:
 *   - nothing left: its last period, dying away, then silence; play goes on when the target is held
 *     again; the target grows
 *   - too much or too little held: played up to 1 % faster or slower
 *
 * While another source of the same sound is to take over, or to be taken over from, the place
 * matters more than what is held: `cue` starts at a given place, `nudge` moves to one.
 */

import { Concealment } from "./concealment.js";
import { Samples } from "./samples.js";
import { Target } from "./target.js";

/** More than this above the target is skipped rather than played faster. */
const EXCESS_MS = 200;
const MAX_SPEED = 0.01;
/** Shares of the target: a level that is no further off is left alone, from so far on it is made good at
 * the full speed. What is held in excess is latency. */
const [NEAR, FAR] = [0.15, 0.3];
/** From none to the full speed: a pitch that steps is heard. */
const BEND_MS = 500;
/** Half a semitone, for a second at most. */
const NUDGE_SPEED = 0.03;
/** So long after its time a cue is forgotten. */
const CUE_WAIT_MS = 500;
/** What has to be held beyond the block to be played, for a start on cue. */
const CUE_MARGIN_MS = 10;
const QUIET_MS = 20;
const CAPACITY_MS = 2_000;
const FADE_MS = 8;
/** Over which a gap is entered and left. One no longer is a mere cross-fade. */
const GAP_FADE_MS = 20;
/** In which what is cut off dies away. */
const TAIL_MS = 2;

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
  #target = new Target();
  #levelMs = this.#target.ms;
  /** How much faster it is played. */
  #bend = 0;
  /** Fades the first samples after silence in. */
  #gain = 0;
  /** The last sample that was played. */
  #last = 0;
  /** What is left of the sound before a cut: from the level it had, without a click. */
  #tail = 0;
  #concealment;
  /** @type {{mediaMs: number, atMs: number} | null} */
  #cue = null;
  /** Whether the place is kept whatever is held. */
  #steady = false;
  /** Samples to be played in excess of the time that passes. */
  #nudge = 0;

  counts = { underruns: 0, concealedMs: 0, lateMs: 0, gapMs: 0, skippedMs: 0 };

  /** @param {number} rate samples per second */
  constructor(rate) {
    this.#rate = rate;
    this.#samples = new Samples(Math.ceil((CAPACITY_MS * rate) / 1000));
    this.#concealment = new Concealment(rate);
  }

  /** Milliseconds held. */
  get bufferedMs() {
    return this.#toMs(this.#write - this.#read);
  }

  get targetMs() {
    return this.#target.ms;
  }

  /** How much of a nudge is still to come. */
  get nudgeMs() {
    return this.#toMs(this.#nudge);
  }

  /** Whether nothing is heard, nor will be at once. */
  get quiet() {
    if (!this.#playing) return !this.#concealment.sounds;
    return this.#isQuiet(0, (QUIET_MS * this.#rate) / 1000);
  }

  /** Whether sound comes out; while not, silence does, but for the last that runs out. */
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
    else if (gap > 0) this.#fillGap(gap, pcm);
    const late = Math.max(0, this.#write - at);
    if (late >= pcm.length) {
      this.counts.lateMs += this.#toMs(pcm.length);
      return;
    }
    this.counts.lateMs += this.#toMs(late);
    for (let i = late; i < pcm.length; i++) {
      const silent = this.#write < this.#silentUntil;
      this.#samples.put(this.#write++, silent ? 0 : pcm[i]);
    }
    this.#skipExcess();
  }

  /**
   * Fill `out` with what is due.
   * @param {Float32Array} out
   * @param {number} [atMs] when it will be played, on the clock that `cue` uses
   */
  read(out, atMs = 0) {
    const blockMs = this.#toMs(out.length);
    if (!this.#playing && this.#cue) this.#startOnCue(out.length, atMs);
    else if (!this.#playing && this.bufferedMs >= this.targetMs) this.#start();
    if (!this.#playing) {
      this.#target.waited(blockMs);
      out.fill(0);
      this.#conceal(out);
      this.#dieAway(out);
      return;
    }
    const speed = this.#steady ? this.#nudged(out.length) : this.#speed(blockMs);
    if (this.#write - this.#read < out.length * speed + 1) {
      this.#underrun(out);
      return;
    }
    const fade = 1000 / (FADE_MS * this.#rate);
    for (let i = 0; i < out.length; i++) {
      this.#gain = Math.min(1, this.#gain + fade);
      out[i] = this.#samples.between(this.#read) * this.#gain;
      this.#read += speed;
    }
    this.#concealment.end();
    this.#conceal(out);
    this.#dieAway(out);
    const excessMs = Math.max(0, this.#levelMs - this.targetMs);
    const mostMs = Math.max(excessMs, this.bufferedMs - this.targetMs);
    this.#target.played(blockMs, this.bufferedMs - excessMs, mostMs);
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
      this.#samples.put(at, this.#samples.at(at) * gain);
    }
  }

  /**
   * Start so that `mediaMs` is played at `atMs`, and keep to that; where that cannot be done, start
   * as usual.
   * @param {number} mediaMs @param {number} atMs
   */
  cue(mediaMs, atMs) {
    if (!this.#playing) this.#cue = { mediaMs, atMs };
  }

  /** Play so much more than the time that passes (or less), then keep to that; at once where
   * nothing is to be heard. @param {number} ms
   * @param {boolean} [unheard] whether what is played is not heard anyway */
  nudge(ms, unheard = false) {
    if (!this.#playing) return;
    this.#steady = true;
    this.#nudge = (ms * this.#rate) / 1000;
    if (!unheard || this.#toMs(this.#write - this.#read) < ms + CUE_MARGIN_MS) return;
    this.#read += this.#nudge;
    this.#nudge = 0;
  }

  /** What is held matters again. */
  release() {
    this.#steady = false;
    this.#nudge = this.#bend = 0;
    this.#cue = null;
    this.#levelMs = this.bufferedMs;
  }

  /** Forget everything: another session's clock, or sound comes another way for now. */
  reset() {
    this.release();
    this.#playing = false;
    this.#empty = this.#fresh = true;
    this.#read = this.#write = this.#silentUntil = 0;
    this.#gain = 0;
  }

  /** @param {number} samples */
  #toMs(samples) {
    return (samples * 1000) / this.#rate;
  }

  #start() {
    this.#target.resumed();
    // What piled up before anything was heard is no loss; after an underrun it is speech.
    if (this.#fresh) this.#read = this.#write - (this.targetMs * this.#rate) / 1000;
    this.#fresh = false;
    this.#playing = true;
    this.#levelMs = this.bufferedMs;
  }

  /** @param {number} length of the block to be played @param {number} atMs */
  #startOnCue(length, atMs) {
    const cue = /** @type {{mediaMs: number, atMs: number}} */ (this.#cue);
    const place = ((cue.mediaMs + atMs - cue.atMs) * this.#rate) / 1000;
    const margin = length + (CUE_MARGIN_MS * this.#rate) / 1000;
    if (!this.#empty && place >= this.#read && place <= this.#write - margin) {
      this.#read = place;
      this.#cue = null;
      this.#fresh = false;
      this.#playing = this.#steady = true;
    } else if (atMs - cue.atMs > CUE_WAIT_MS) this.#cue = null;
  }

  /** The sound before it goes on backwards and fades, and so does, into the past, the sound after it.
   * @param {number} gap in samples @param {Float32Array} next */
  #fillGap(gap, next) {
    if (this.#toMs(gap) + this.bufferedMs > CAPACITY_MS / 2) {
      // Too long to wait through: play what came from where it is.
      this.counts.skippedMs += this.#toMs(gap) + this.bufferedMs;
      this.#write += gap;
      this.#read = this.#write;
      this.#cut();
      this.#playing = false;
      return;
    }
    this.counts.gapMs += this.#toMs(gap);
    const fade = Math.min(gap, next.length, Math.round((GAP_FADE_MS * this.#rate) / 1000));
    const start = this.#write;
    for (let i = 0, j = gap - 1; i < gap; i++, j--) {
      const before = i < fade ? this.#samples.at(start - 1 - i) * (1 - (i + 0.5) / fade) : 0;
      const after = j < fade ? next[j] * (1 - (j + 0.5) / fade) : 0;
      const silent = this.#write < this.#silentUntil;
      this.#samples.put(this.#write++, silent ? 0 : before + after);
    }
  }

  /** What comes next does not go on where the last sample was. */
  #cut() {
    if (this.#playing) this.#tail = this.#last;
    this.#gain = 0;
  }

  /** Add what is left of the sound before a cut. @param {Float32Array} out */
  #dieAway(out) {
    const decay = Math.exp(-1000 / (TAIL_MS * this.#rate));
    for (let i = 0; i < out.length && this.#tail !== 0; i++) {
      this.#tail = Math.abs(this.#tail) < 1e-4 ? 0 : this.#tail * decay;
      out[i] += this.#tail;
    }
    this.#last = out[out.length - 1];
  }

  #skipExcess() {
    if (this.#cue) return;
    const excessMs = this.bufferedMs - this.targetMs - EXCESS_MS;
    if (excessMs <= 0) return;
    const skip = Math.round(((excessMs + EXCESS_MS) * this.#rate) / 1000);
    this.counts.skippedMs += this.#toMs(skip);
    this.#read += skip;
    this.#levelMs = this.bufferedMs;
    this.#cut();
  }

  /** Whether nothing is to be heard so far from the place. @param {number} off @param {number} length */
  #isQuiet(off, length) {
    return this.#samples.isQuiet(this.#read + off, length, this.#write);
  }

  /** The speed at which the place asked for is come to. @param {number} length */
  #nudged(length) {
    const left = this.#nudge;
    if (left === 0) return 1;
    const held = this.#write - this.#read - 2 * length;
    if (left < held && this.#isQuiet(0, length) && this.#isQuiet(left, length)) {
      this.#read += left;
      this.#nudge = 0;
      return 1;
    }
    const step = Math.min(Math.abs(left), NUDGE_SPEED * length) * Math.sign(left);
    this.#nudge -= step;
    return 1 + step / length;
  }

  /** @param {number} blockMs */
  #speed(blockMs) {
    // Smoothed over about a second: packets come in steps of 20 ms.
    this.#levelMs += (this.bufferedMs - this.#levelMs) * Math.min(1, blockMs / 1000);
    const error = (this.#levelMs - this.targetMs) / this.targetMs;
    const share = Math.max(0, Math.min(1, (Math.abs(error) - NEAR) / (FAR - NEAR)));
    const most = (MAX_SPEED * blockMs) / BEND_MS;
    const change = MAX_SPEED * share * Math.sign(error) - this.#bend;
    this.#bend += Math.max(-most, Math.min(most, change));
    return 1 + this.#bend;
  }

  /** @param {Float32Array} out */
  #underrun(out) {
    // What is left, then what it might have gone on with, then silence until the target is held.
    const held = Math.max(0, Math.floor(this.#write - this.#read));
    const left = Math.min(out.length, held); // more, where it is played faster
    const end = Math.floor(this.#read) + left;
    out.fill(0);
    for (let i = 0; i < left; i++) out[i] = this.#samples.at(end - left + i) * this.#gain;
    this.#read = this.#write;
    this.release();
    this.#playing = false;
    this.#gain = 0;
    this.counts.underruns++;
    this.#target.ranDry();
    this.#concealment.begin(this.#samples.before(end, this.#concealment.wants));
    this.#conceal(out, left);
    this.#dieAway(out);
  }

  /** @param {Float32Array} out @param {number} [from] */
  #conceal(out, from = 0) {
    this.counts.concealedMs += this.#toMs(this.#concealment.add(out, from));
  }
}
