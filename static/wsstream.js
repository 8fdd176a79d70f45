// @ts-check
/**
 * Defines <ws-stream>. How the client hangs together:
 *
 *   wsstream.js            defines the element
 *   element.js             the element: a player on a page, with its controls (ui/)
 *   player.js              builds the parts below and wires them; decodes nothing
 *   figures.js             what its stats() gives
 *   changeover.js          from one transport's picture and sound to the other's, unnoticed
 *   net/connection.js      the WebSocket: opened, kept, opened again, to the same session
 *   net/outbox.js          by which way a message goes: socket, data channel, or later
 *   net/upgrade.js         the way to WebRTC and back: tries, proves, doubts, goes back
 *   net/policy.js          whether that is wanted, possible and due
 *   net/attempt.js         one try, and how far it has come
 *   net/peer.js            one RTCPeerConnection
 *   net/reasons.js         why media come the way they do, in words (pure)
 *   net/network.js         tells of another network
 *   net/view.js            how large the picture is shown, and whether at all
 *   audio/decoder.js       Opus to samples: WebCodecs, else WASM, else agreed PCM
 *   audio/output.js        samples to the speaker; says what is heard when
 *   audio/worklet.js       the ring buffer on the audio thread
 *   audio/ring-buffer.js   jitter, gaps, drift, place (pure); samples.js, target.js, ring-port.js are its own
 *   audio/mixer.js         the ring buffer and a remote stream, of which one is heard
 *   audio/alignment.js     how far two sources of one sound are apart (pure)
 *   audio/resampler.js     sample rates (pure)
 *   video/decoder.js       payloads to pictures: JPEG, patches, H.264
 *   video/canvas.js        pictures to the canvas, each when its sound is heard
 *   video/screen.js        the canvas and a video above it, of which one is seen
 *   core/protocol.js       the wire (pure)
 *   core/states.js         which path carries the media: the table (pure)
 *   core/retry.js          when the upgrade is tried again (pure)
 *   core/vitals.js         whether a peer's media still come (pure)
 *   core/sync.js           which media time is presented now (pure)
 *   core/lip-sync.js       how long a peer's pictures are held back for their sound (pure)
 *   core/rtp-clock.js      RTP timestamps on the media clock (pure)
 *   core/inbox.js          what the server says of the session, once; by dedupe.js
 *   core/gauges.js         rates, latency, skew (pure)
 */
import { WsStream } from "./element.js";

if (!customElements.get("ws-stream")) customElements.define("ws-stream", WsStream);

export { WsStream };
