// @ts-check
/**
 * The two sources of the same sound, of which one is audible: the ring buffer (the WebSocket's) and
 * a remote stream (WebRTC's).
 */

/** @typedef {import("../core/states.js").Transport} Transport */

const FADE_S = 0.03;
/** So that both ramps begin at one time of the context, whatever thread sets them when. */
const AHEAD_S = 0.02;

export class Mixer {
  #context;
  #gains;
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
    this.#gains = { ws: gain(1), webrtc: gain(0) };
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
    return this.#gains[transport];
  }

  /** Take a remote stream in. The browser wants it to be attached to an element as well.
   * @param {MediaStream} stream */
  attach(stream) {
    this.detach();
    this.#source = /** @type {AudioContext} */ (this.#context).createMediaStreamSource(stream);
    this.#source.connect(this.#gains.webrtc);
  }

  detach() {
    this.#source?.disconnect();
    this.#source = null;
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
