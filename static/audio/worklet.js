// @ts-check
/** The ring buffer on the audio thread. Nothing but an adapter. */
import { RingBuffer } from "./ring-buffer.js";
import { obey, report } from "./ring-port.js";

/** How often the main thread is told where play is, in blocks of 128 samples (about 21 ms). */
const REPORT_BLOCKS = 8;

class RingProcessor extends AudioWorkletProcessor {
  #ring = new RingBuffer(sampleRate);
  #blocks = 0;
  #alive = true;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      if (data.close) this.#alive = false;
      else obey(this.#ring, data);
    };
  }

  /** @param {Float32Array[][]} _inputs @param {Float32Array[][]} outputs */
  process(_inputs, outputs) {
    const channels = outputs[0];
    const atS = currentTime;
    const { mediaMs, playing: was } = this.#ring;
    this.#ring.read(channels[0], atS * 1000);
    for (const channel of channels.slice(1)) channel.set(channels[0]);
    if (this.#blocks++ % REPORT_BLOCKS === 0 || was !== this.#ring.playing) {
      const reported = was && this.#ring.playing ? mediaMs : null;
      this.port.postMessage({ mediaMs: reported, atS, ...report(this.#ring) });
    }
    return this.#alive;
  }
}

registerProcessor("wsstream-ring", RingProcessor);
