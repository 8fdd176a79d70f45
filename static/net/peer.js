// @ts-check
/**
 * One RTCPeerConnection, of one epoch: pictures and sound come, messages go both ways. It is never
 * mended: what breaks is closed, and another one is made.
 *
 * Events: `signal` (detail: a message for the socket); `message` (detail: a JSON message of the data
 * channel); `stream` when both tracks are there.
 */
import { BadMessage, parse } from "../core/protocol.js";
import { RtpClock } from "../core/rtp-clock.js";

export const LABEL = "wsstream";
const STATS_MS = 250;

/** Whether the page has it at all. */
export const canPeer = () =>
  typeof RTCPeerConnection === "function" &&
  "requestVideoFrameCallback" in HTMLVideoElement.prototype;

/**
 * Pictures and sound as of two streams. As of one, the browser would bring them together as they
 * leave the jitter buffer, but the sound takes a longer way from there; we do it by what is heard.
 * @param {string} sdp
 */
const apart = (sdp) =>
  sdp.replace(/^(m=audio[^]*?^a=msid:)\S+/m, "$1sound");

/** @typedef {{iceServers: RTCIceServer[], policy: RTCIceTransportPolicy}} IceOptions */

export class Peer extends EventTarget {
  #connection;
  #channel;
  #receivers;
  /** @type {RtpClock | null} */
  #clock = null;
  #answered = false;
  /** @type {RTCIceCandidateInit[]} */
  #early = [];
  #closed = false;
  #statsMs = -Infinity;
  #place = { timestamp: 0, rtpTimestamp: 0 };
  #pictureStamp = 0;
  /** Both tracks, in one stream, so that the browser keeps them together. */
  stream = new MediaStream();
  /** When new sound, and a new picture, were last taken from the network; performance.now(). */
  heardAtMs = -Infinity;
  seenAtMs = -Infinity;
  bytes = { video: 0, audio: 0 };
  figures = { codec: "", candidate: "", jitterMs: NaN, lost: 0, decoded: 0, rttMs: NaN };

  /** @param {number} epoch @param {IceOptions} options */
  constructor(epoch, { iceServers, policy }) {
    super();
    this.epoch = epoch;
    // Always explicit: with none given, some ask a server of their maker's.
    const connection = new RTCPeerConnection({
      iceServers,
      iceTransportPolicy: policy,
      bundlePolicy: "max-bundle",
    });
    this.#connection = connection;
    this.#receivers = ["audio", "video"].map((kind) => {
      const { receiver } = connection.addTransceiver(kind, { direction: "recvonly" });
      this.stream.addTrack(receiver.track);
      return receiver;
    });
    this.#channel = connection.createDataChannel(LABEL, { ordered: true });
    this.#channel.onmessage = ({ data }) => this.#receive(data);
    connection.onicecandidate = ({ candidate }) => {
      const { candidate: line = null, sdpMid, sdpMLineIndex } = candidate?.toJSON() ?? {};
      this.#signal({ type: "candidate", candidate: line || null, sdpMid, sdpMLineIndex });
    };
  }

  /** Begin: the offer goes out at once, candidates follow as they are found. */
  async offer() {
    await this.#connection.setLocalDescription();
    const sdp = this.#connection.localDescription?.sdp;
    if (sdp) this.#signal({ type: "offer", sdp });
  }

  /** @param {string} sdp */
  async answer(sdp) {
    if (this.#closed) return;
    await this.#connection.setRemoteDescription({ type: "answer", sdp: apart(sdp) });
    this.#answered = true;
    await Promise.all(this.#early.splice(0).map((one) => this.#connection.addIceCandidate(one)));
  }

  /** The server's. @param {{candidate: string | null, sdpMid?: string, sdpMLineIndex?: number}} one */
  async candidate({ candidate, sdpMid, sdpMLineIndex }) {
    if (candidate === null || this.#closed) return;
    const init = { candidate, sdpMid, sdpMLineIndex };
    if (!this.#answered) this.#early.push(init);
    else await this.#connection.addIceCandidate(init).catch(() => {}); // one of many
  }

  /** How RTP timestamps lie on the media clock. @param {{audio: number, video: number}} origins */
  set origins(origins) {
    this.#clock = new RtpClock(origins);
  }

  get hasClock() {
    return this.#clock !== null;
  }

  /** `new`, `connecting`, `connected`, `disconnected`, `failed` or `closed`. */
  get state() {
    return this.#closed ? "closed" : this.#connection.connectionState;
  }

  /** Send on the data channel. @param {object} message @returns {boolean} whether it was open */
  send(message) {
    if (this.#channel.readyState !== "open") return false;
    this.#channel.send(JSON.stringify(message));
    return true;
  }

  /** How long the browser is to hold sound against jitter. */
  get soundDelayMs() {
    return this.#receivers[0].jitterBufferTarget ?? 0;
  }

  set soundDelayMs(ms) {
    this.#hold(0, ms);
  }

  /** How long it is to hold pictures, so that they come with their sound. */
  get pictureDelayMs() {
    return this.#receivers[1].jitterBufferTarget ?? 0;
  }

  set pictureDelayMs(ms) {
    this.#hold(1, ms);
  }

  /** Media time of a picture. @param {number} rtpTimestamp @param {number} nearMs */
  pictureMs(rtpTimestamp, nearMs) {
    return this.#clock?.mediaMs("video", rtpTimestamp, nearMs) ?? null;
  }

  /** The sound that left the jitter buffer, and when: `atMs` as performance.now() has it.
   * @param {number} nearMs */
  soundPlace(nearMs) {
    const { timestamp, rtpTimestamp } = this.#place;
    if (!this.#clock || !timestamp) return null;
    const mediaMs = this.#clock.mediaMs("audio", rtpTimestamp, nearMs);
    return { mediaMs, atMs: timestamp - performance.timeOrigin };
  }

  /** Look what has come. @param {number} nowMs */
  look(nowMs) {
    if (this.#closed) return;
    const [audio, video] = this.#receivers.map((r) => r.getSynchronizationSources()[0]);
    if (audio && audio.timestamp !== this.#place.timestamp) {
      this.#place = { timestamp: audio.timestamp, rtpTimestamp: audio.rtpTimestamp };
      this.heardAtMs = nowMs;
    }
    if (video && video.rtpTimestamp !== this.#pictureStamp) {
      this.#pictureStamp = video.rtpTimestamp;
      this.seenAtMs = nowMs;
    }
    if (nowMs - this.#statsMs < STATS_MS) return;
    this.#statsMs = nowMs;
    this.#read().catch(() => {}); // closed meanwhile
  }

  /** As often as it likes; nothing is left running. */
  close() {
    if (this.#closed) return;
    this.#closed = true;
    this.#channel.onmessage = null;
    this.#connection.onicecandidate = null;
    for (const { track } of this.#receivers) track.stop();
    this.#channel.close();
    this.#connection.close();
  }

  /** @param {number} receiver @param {number} ms */
  #hold(receiver, ms) {
    if (!this.#closed) this.#receivers[receiver].jitterBufferTarget = ms;
  }

  async #read() {
    const report = await this.#connection.getStats();
    /** @type {Map<string, any>} */
    const all = new Map([...report.entries()]);
    for (const one of all.values()) {
      if (one.type === "inbound-rtp") {
        this.bytes[/** @type {"video" | "audio"} */ (one.kind)] = one.bytesReceived;
        if (one.kind === "video") {
          this.figures.codec = all.get(one.codecId)?.mimeType?.split("/")[1] ?? this.figures.codec;
          this.figures.decoded = one.framesDecoded ?? 0;
          this.figures.lost = one.packetsLost ?? 0;
        } else this.figures.jitterMs = (one.jitter ?? NaN) * 1000;
      } else if (one.type === "candidate-pair" && one.nominated && one.state === "succeeded") {
        const local = all.get(one.localCandidateId);
        const relay = local?.candidateType === "relay";
        this.figures.candidate = relay ? `relay/${local.relayProtocol}` : (local?.protocol ?? "");
        this.figures.rttMs = (one.currentRoundTripTime ?? NaN) * 1000;
      }
    }
  }

  /** @param {string} data */
  #receive(data) {
    try {
      this.dispatchEvent(new CustomEvent("message", { detail: parse(data) }));
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error;
      console.warn("wsstream: skipped a message of the data channel:", error.message);
    }
  }

  /** @param {object} message */
  #signal(message) {
    if (this.#closed) return;
    const detail = { ...message, epoch: this.epoch };
    this.dispatchEvent(new CustomEvent("signal", { detail }));
  }
}
