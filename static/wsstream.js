// @ts-check
/**
 * Defines <ws-stream>. How the client hangs together:
 *
 *   wsstream.js            defines the element
 *   element.js             the element: a player on a page, with its controls (ui/)
 *   player.js              builds the parts below and wires them; decodes nothing
 *   net/connection.js      the WebSocket: opened, kept, opened again
 *   audio/decoder.js       Opus to samples: WebCodecs, else WASM, else agreed PCM
 *   audio/output.js        samples to the speaker; says what is heard when
 *   audio/worklet.js       the ring buffer on the audio thread
 *   audio/ring-buffer.js   jitter, gaps, drift (pure)
 *   audio/resampler.js     sample rates (pure)
 *   video/canvas.js        JPEGs to the canvas, each when its sound is heard
 *   core/protocol.js       the wire (pure)
 *   core/sync.js           which media time is presented now (pure)
 *   core/gauges.js         rates, latency, skew (pure)
 */
import { WsStream } from "./element.js";

if (!customElements.get("ws-stream")) customElements.define("ws-stream", WsStream);

export { WsStream };
