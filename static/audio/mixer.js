// @ts-check
/**
 * The two sources of the same sound, of which one is audible: the ring buffer (the WebSocket's) and
 * a remote stream (WebRTC's).
 */
import { lagBetween } from "./alignment.js";

/** @typedef {import("../core/states.js").Transport} Transport */

const FADE_S = 0.03;
const HUSH_FADE_S = 0.01;
/** No interruption takes longer to pass. */
const HUSH_MOST_MS = 1000;
/** So that both ramps begin at one time of the context, whatever thread sets them when. */
const AHEAD_S = 0.02;
/** What the two are compared by: at 48 kHz the last 171 ms, of which half is left when the other half
 * is how far they are apart. */
const COMPARED = 8192;
export const COMPARED_MS = 171;
/** Further apart than this they cannot be compared: their clocks tell that well enough. */
export const COMPARABLE_MS = 60;
/** How long the remote stream can be held, so that it is heard where the ring is. */
export const MOST_HELD_MS = 400;
/** What it is held is let go by playing so much faster: a sixth of a semitone. */
const LET_GO_SPEED = 0.01;

export class Mixer {
  #context;
  #gains;
  /** What went to the gains. */
  #taps;
  /** @type {MediaStreamAudioSourceNode | null} */
  #source = null;
  /** Behind the remote stream's gain and what it is compared by. */
  #hush;
  #hold;
  /** How long it is held since when, and how much of that is let go in a second. */
  #held = { ms: 0, sinceS: 0, perS: 0 };
  /** @type {Transport} */
  #audible = "ws";
  #fadedAtS = 0;

  /** @param {BaseAudioContext} context @param {AudioNode} out */
  constructor(context, out) {
    this.#context = context;
    const gain = (/** @type {number} */ value, /** @type {AudioNode} */ to) => {
      const node = context.createGain();
      node.gain.value = value;
      node.connect(to);
      return node;
    };
    const tap = (/** @type {AudioNode} */ to) => {
      const node = context.createAnalyser();
      node.fftSize = COMPARED;
      node.connect(to);
      return node;
    };
    this.#hush = gain(1, out);
    this.#gains = { ws: gain(1, out), webrtc: gain(0, this.#hush) };
    this.#taps = { ws: tap(this.#gains.ws), webrtc: tap(this.#gains.webrtc) };
    this.#hold = context.createDelay(MOST_HELD_MS / 1000);
    this.#hold.connect(this.#taps.webrtc);
  }

  /** Which source is heard, or is being faded to. */
  get audible() {
    return this.#audible;
  }

  /** Whether only that is heard. */
  get settled() {
    return this.#context.state !== "running" || this.#context.currentTime >= this.#fadedAtS;
  }

  /** The ring's way in. */
  get input() {
    return this.#taps.ws;
  }

  /** Take a remote stream in. The browser wants it to be attached to an element as well.
   * @param {MediaStream} stream */
  attach(stream) {
    this.detach();
    this.#source = /** @type {AudioContext} */ (this.#context).createMediaStreamSource(stream);
    this.#source.connect(this.#hold);
  }

  detach() {
    this.#source?.disconnect();
    this.#source = null;
    this.heldMs = 0;
  }

  /** How long the remote stream is held. Setting it is heard, where that stream is. */
  get heldMs() {
    const { ms, sinceS, perS } = this.#held;
    return Math.max(0, ms - Math.max(0, this.#context.currentTime - sinceS) * perS);
  }

  set heldMs(ms) {
    this.#held = { ms, sinceS: this.#context.currentTime, perS: 0 };
    this.#hold.delayTime.cancelScheduledValues(0);
    this.#hold.delayTime.setValueAtTime(ms / 1000, this.#held.sinceS);
  }

  /** Hold it as long as now. */
  keep() {
    const { ms, sinceS, perS } = this.#held;
    if (perS === 0) return;
    const atS = this.#context.currentTime + AHEAD_S;
    const keptMs = Math.max(0, ms - (atS - sinceS) * perS);
    this.#held = { ms: keptMs, sinceS: atS, perS: 0 };
    // It ends, or has ended, by itself; a ramp to a later end would be elsewhere by now: a jump.
    if (keptMs === 0) return;
    this.#hold.delayTime.cancelScheduledValues(0);
    this.#hold.delayTime.setValueAtTime(ms / 1000, sinceS);
    this.#hold.delayTime.linearRampToValueAtTime(keptMs / 1000, atS);
  }

  /** Hold it less and less, unnoticed. */
  letGo() {
    const ms = this.heldMs;
    if (ms === 0) return;
    const sinceS = this.#context.currentTime + AHEAD_S;
    const perS = LET_GO_SPEED * 1000;
    this.#held = { ms, sinceS, perS };
    this.#hold.delayTime.setValueAtTime(ms / 1000, sinceS);
    this.#hold.delayTime.linearRampToValueAtTime(0, sinceS + ms / perS);
  }

  /** How far the remote stream is ahead of the ring, in ms, by what they sound like just now; NaN
   * where that does not tell.
   * @param {number} nearMs where it is expected @param {number} mostMs no further than this */
  apartMs(nearMs, mostMs) {
    const perMs = this.#context.sampleRate / 1000;
    const [ring, again, remote] = Array.from({ length: 3 }, () => new Float32Array(COMPARED));
    this.#taps.ws.getFloatTimeDomainData(ring);
    this.#taps.webrtc.getFloatTimeDomainData(remote);
    this.#taps.ws.getFloatTimeDomainData(again);
    // The audio thread may have gone on between the two.
    if (ring.some((sample, i) => sample !== again[i])) return NaN;
    return lagBetween(ring, remote, mostMs * perMs, nearMs * perMs) / perMs;
  }

  /** Have the remote stream unheard for so long from now on. @param {number} ms */
  hush(ms) {
    if (!(ms > HUSH_FADE_S * 1000)) return;
    const { gain } = this.#hush;
    const nowS = this.#context.currentTime;
    const endS = nowS + Math.min(ms, HUSH_MOST_MS) / 1000;
    gain.cancelScheduledValues(0);
    gain.setValueAtTime(gain.value, nowS);
    gain.linearRampToValueAtTime(0, nowS + HUSH_FADE_S);
    gain.setValueAtTime(0, endS);
    gain.linearRampToValueAtTime(1, endS + HUSH_FADE_S);
  }

  /** Cross over: both sources carry the same sound, so that the sum of two straight ramps is level.
   * @param {Transport} to */
  fade(to) {
    if (to === this.#audible) return;
    this.#audible = to;
    const fromS = this.#context.currentTime + AHEAD_S;
    this.#fadedAtS = fromS + FADE_S;
    for (const [name, { gain }] of Object.entries(this.#gains)) {
      const before = gain.value;
      gain.cancelScheduledValues(0);
      gain.setValueAtTime(before, fromS);
      gain.linearRampToValueAtTime(name === to ? 1 : 0, this.#fadedAtS);
    }
  }
}
