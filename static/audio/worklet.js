// @ts-check
/** The ring buffer on the audio thread. Nothing but an adapter. */
import { RingBuffer } from "./ring-buffer.js";

/** How often the main thread is told where play is, in blocks of 128 samples (about 21 ms). */
const REPORT_BLOCKS = 8;

class RingProcessor extends AudioWorkletProcessor {
  #ring = new RingBuffer(sampleRate);
  #blocks = 0;
  #alive = true;

  constructor() {
    super();
    this.port.onmessage = ({ data }) => {
      if (data.pcm) this.#ring.write(data.mediaMs, data.pcm);
      else if (data.flush !== undefined) this.#ring.flush(data.flush, data.until);
      else if (data.reset) this.#ring.reset();
      else if (data.close) this.#alive = false;
    };
  }

  /** @param {Float32Array[][]} _inputs @param {Float32Array[][]} outputs */
  process(_inputs, outputs) {
    const channels = outputs[0];
    const atS = currentTime;
    const { mediaMs, playing: was } = this.#ring;
    this.#ring.read(channels[0]);
    for (const channel of channels.slice(1)) channel.set(channels[0]);
    if (this.#blocks++ % REPORT_BLOCKS === 0 || was !== this.#ring.playing) {
      const { playing, bufferedMs, targetMs, counts } = this.#ring;
      const reported = was && playing ? mediaMs : null;
      this.port.postMessage({ mediaMs: reported, atS, bufferedMs, targetMs, counts });
    }
    return this.#alive;
  }
}

registerProcessor("wsstream-ring", RingProcessor);
