// @ts-check
/**
 * The two sources of the same sound, of which one is audible: the ring buffer (the WebSocket's) and
 * a remote stream (WebRTC's).
 */
import { lagBetween } from "./alignment.js";

/** @typedef {import("../core/states.js").Transport} Transport */

const FADE_S = 0.03;
/** So that both ramps begin at one time of the context, whatever thread sets them when. */
const AHEAD_S = 0.02;
/** What the two are compared by: at 48 kHz the last 171 ms, of which half is left when the other half
 * is how far they are apart. */
const COMPARED = 8192;
export const COMPARED_MS = 171;
/** Further apart than this they cannot be compared: their clocks tell that well enough. */
export const COMPARABLE_MS = 40;

export class Mixer {
  #context;
  #gains;
  /** What went to the gains. */
  #taps;
  /** @type {MediaStreamAudioSourceNode | null} */
  #source = null;
  /** @type {Transport} */
  #audible = "ws";
  #fadedAtS = 0;

  /** @param {BaseAudioContext} context @param {AudioNode} out */
  constructor(context, out) {
    this.#context = context;
    const gain = (/** @type {number} */ value) => {
      const node = context.createGain();
      node.gain.value = value;
      node.connect(out);
      return node;
    };
    const tap = (/** @type {AudioNode} */ to) => {
      const node = context.createAnalyser();
      node.fftSize = COMPARED;
      node.connect(to);
      return node;
    };
    this.#gains = { ws: gain(1), webrtc: gain(0) };
    this.#taps = { ws: tap(this.#gains.ws), webrtc: tap(this.#gains.webrtc) };
  }

  /** Which source is heard, or is being faded to. */
  get audible() {
    return this.#audible;
  }

  /** Whether only that is heard. */
  get settled() {
    return this.#context.state !== "running" || this.#context.currentTime >= this.#fadedAtS;
  }

  /** A source's way in. @param {Transport} transport */
  input(transport) {
    return this.#taps[transport];
  }

  /** Take a remote stream in. The browser wants it to be attached to an element as well.
   * @param {MediaStream} stream */
  attach(stream) {
    this.detach();
    this.#source = /** @type {AudioContext} */ (this.#context).createMediaStreamSource(stream);
    this.#source.connect(this.#taps.webrtc);
  }

  detach() {
    this.#source?.disconnect();
    this.#source = null;
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
