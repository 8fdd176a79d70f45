// @ts-check
/**
 * From decoded sound to the speaker: an AudioContext, the ring buffer in an AudioWorklet (on plain
 * HTTP, where there is none, in a ScriptProcessor), the mixer, in which a remote stream may take
 * the ring's place, and a gain.
 *
 * Until a gesture unlocks it, a browser may keep the context suspended. Sound that comes meanwhile
 * is discarded: nobody wants a burst of stale speech.
 */
import { Mixer } from "./mixer.js";
import { Resampler } from "./resampler.js";
import { RingBuffer } from "./ring-buffer.js";
import { obey, report } from "./ring-port.js";

const SCRIPT_BLOCK = 1024;
const GESTURES = ["pointerdown", "keydown", "touchend"];
const FADE_S = 0.02;
/** Firefox on Linux asks the sound server for its latency in the main thread, holding a lock that
 * the audio thread waits for, and the sound server for that one: asked as sound starts, one page in
 * eight froze for good (seen in 153). There the latency is what it mostly is. */
const MAY_ASK = !/Linux.*Firefox/.test(navigator.userAgent);
const UNASKED_LATENCY_S = 0.035;

/**
 * @typedef {{
 *   bufferedMs: number, targetMs: number, nudgeMs: number, quiet: boolean,
 *   counts: Record<string, number>,
 * }} OutputStats
 */

/**
 * Events: `lockchange` when `locked` changes; `report` each time play's place is known: `detail` is
 * `{mediaMs, atMs}`, the media time heard at that `performance.now()`, `mediaMs` null for silence.
 */
export class AudioOutput extends EventTarget {
  /** @type {AudioContext} */
  #context;
  #gain;
  #mixer;
  /** @type {{send(message: any, transfer?: Transferable[]): void, close(): void} | null} */
  #ring = null;
  #resampler = new Resampler(48_000, 48_000);
  #volume = 1;
  #muted = false;
  #closed = false;
  /** Whether the ring is out of use, because sound comes another way. */
  #parked = false;
  /** @type {OutputStats} */
  #stats = {
    bufferedMs: 0,
    targetMs: 0,
    nudgeMs: 0,
    quiet: true,
    counts: { underruns: 0, concealedMs: 0, lateMs: 0, gapMs: 0, skippedMs: 0 },
  };

  constructor() {
    super();
    this.#context = new AudioContext({ sampleRate: 48_000, latencyHint: "interactive" });
    this.#gain = this.#context.createGain();
    this.#gain.connect(this.#context.destination);
    this.#mixer = new Mixer(this.#context, this.#gain);
    this.#context.onstatechange = () => this.dispatchEvent(new Event("lockchange"));
    for (const gesture of GESTURES) addEventListener(gesture, this.#unlock, { capture: true });
  }

  /** Get the ring buffer running. */
  async start() {
    const worklet = this.#context.audioWorklet;
    const url = new URL("./worklet.js", import.meta.url);
    if (worklet) await worklet.addModule(url);
    if (this.#closed) return;
    this.#ring = worklet ? this.#asWorklet() : this.#asScript();
  }

  /** Whether a gesture is needed before anything is heard. */
  get locked() {
    return this.#context.state !== "running";
  }

  /** The node behind the volume: connect to it to measure or record what is heard. */
  get node() {
    return this.#gain;
  }

  /** The rate of what is pushed. @param {number} rate samples per second */
  set inputRate(rate) {
    this.#resampler = new Resampler(rate, this.#context.sampleRate);
  }

  /** @param {number} mediaMs of its first sample @param {Float32Array} pcm */
  push(mediaMs, pcm) {
    if (this.locked || this.#parked || !this.#ring) return;
    const samples = this.#resampler.push(pcm);
    this.#ring.send({ mediaMs, pcm: samples }, [samples.buffer]);
  }

  /** What lies between will not be said, held or still to come.
   * @param {number} fromMs @param {number} untilMs */
  flush(fromMs, untilMs) {
    this.#ring?.send({ flush: fromMs, until: untilMs });
  }

  /** Which source is heard. */
  get mixer() {
    return this.#mixer;
  }

  /** Take the ring out of use: what comes late is nobody's loss. */
  park() {
    this.#parked = true;
    this.reset();
  }

  /** Take it into use again. @param {{mediaMs: number, atMs: number} | null} cue what is to be
   * heard when, as performance.now() has it; null to start as soon as enough is held */
  unpark(cue) {
    this.#parked = false;
    if (!cue) return;
    const atMs = this.#context.currentTime * 1000 + cue.atMs - performance.now() - this.delayMs;
    this.#ring?.send({ cue: cue.mediaMs, atMs });
  }

  /** Have the ring play so much further on, unnoticed.
   * @param {number} ms @param {boolean} [unheard] whether it is not heard just now */
  nudge(ms, unheard = false) {
    this.#ring?.send({ nudge: ms, unheard });
  }

  /** Have the ring care for what it holds again, and not for its place. */
  release() {
    this.#ring?.send({ release: true });
  }

  /** How long from the graph to the ear. */
  get delayMs() {
    return this.#whenHeard(this.#context.currentTime) - performance.now();
  }

  /** Forget what is held: another clock begins. */
  reset() {
    this.#ring?.send({ reset: true });
  }

  get volume() {
    return this.#volume;
  }

  set volume(value) {
    if (!Number.isFinite(value)) return;
    this.#volume = Math.max(0, Math.min(1, value));
    this.#applyGain();
  }

  get muted() {
    return this.#muted;
  }

  set muted(value) {
    this.#muted = value;
    this.#applyGain();
  }

  /** Try to be heard; works inside a gesture. */
  async unlock() {
    await this.#context.resume().catch(() => {});
  }

  stats() {
    return this.#stats;
  }

  close() {
    this.#closed = true;
    for (const gesture of GESTURES) removeEventListener(gesture, this.#unlock, { capture: true });
    this.#ring?.close();
    this.#ring = null;
    if (this.#context.state !== "closed") this.#context.close();
  }

  #unlock = () => {
    if (this.locked && !this.#closed) this.unlock();
  };

  #applyGain() {
    const target = this.#muted ? 0 : this.#volume ** 2; // loudness is heard on a curve
    this.#gain.gain.setTargetAtTime(target, this.#context.currentTime, FADE_S);
  }

  #asWorklet() {
    const node = new AudioWorkletNode(this.#context, "wsstream-ring", {
      numberOfInputs: 0,
      outputChannelCount: [1],
    });
    node.port.onmessage = ({ data }) => this.#report(data);
    node.connect(this.#mixer.input);
    return {
      /** @param {any} message @param {Transferable[]} transfer */
      send: (message, transfer = []) => node.port.postMessage(message, transfer),
      close: () => {
        node.port.postMessage({ close: true });
        node.disconnect();
      },
    };
  }

  #asScript() {
    const ring = new RingBuffer(this.#context.sampleRate);
    const node = this.#context.createScriptProcessor(SCRIPT_BLOCK, 0, 1);
    node.onaudioprocess = ({ outputBuffer, playbackTime }) => {
      const { mediaMs, playing: was } = ring;
      ring.read(outputBuffer.getChannelData(0), playbackTime * 1000);
      const reported = was && ring.playing ? mediaMs : null;
      this.#report({ mediaMs: reported, atS: playbackTime, ...report(ring) });
    };
    node.connect(this.#mixer.input);
    return {
      /** @param {any} message */
      send: (message) => obey(ring, message),
      close: () => node.disconnect(),
    };
  }

  /** @param {any} report */
  #report({ mediaMs, atS, ...stats }) {
    this.#stats = stats;
    const detail = { mediaMs, atMs: this.#whenHeard(atS) };
    this.dispatchEvent(new CustomEvent("report", { detail }));
  }

  /** When a place on the context's clock is heard, as performance.now() has it.
   * @param {number} contextS */
  #whenHeard(contextS) {
    const context = this.#context;
    const later = (/** @type {number} */ latencyS) =>
      performance.now() + (contextS - context.currentTime + latencyS) * 1000;
    if (!MAY_ASK) return later(UNASKED_LATENCY_S);
    const { contextTime = 0, performanceTime = 0 } = context.getOutputTimestamp?.() ?? {};
    if (contextTime > 0) return performanceTime + (contextS - contextTime) * 1000;
    return later(context.outputLatency || context.baseLatency || 0);
  }
}
