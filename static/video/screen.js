// @ts-check
/**
 * Which picture is on top: the canvas (the WebSocket's) or the video above it (WebRTC's). The canvas
 * is never taken away: it is what is seen while the video has nothing to show.
 */

/** @typedef {import("../core/states.js").Transport} Transport */
/** @typedef {(rtpTimestamp: number) => number | null} TimeOf media time, where it is known */

/** Media times are whole milliseconds on one path and 1/90 on the other. */
const ROUNDING_MS = 1;
/** So long both may go on, for one of the video's pictures to be as new as the canvas's. */
const HOPE_MS = 100;
/** So long the seen one may stand then, for the other to catch up. */
const PATIENCE_MS = 150;
/** Before their first key frame some decoders show a picture of next to nothing. */
const LEAST_WIDTH = 16;

/** Events: `frame` for each rendered picture of the video: `detail` is `{mediaMs, nowMs, receivedMs}`,
 * the last one where the browser knows when it came. */
export class Screen extends EventTarget {
  #video;
  #pictures;
  #canvasMs = -Infinity;
  #videoMs = -Infinity;
  #lagMs = NaN;
  /** @type {Transport} */
  #top = "ws";
  /** @type {Transport} */
  #wanted = "ws";
  #wantedAtMs = 0;
  /** Whether the canvas was drawn on since. */
  #drawnSince = false;
  /** @type {TimeOf} */
  #timeOf = () => null;
  #callback = 0;
  /** Pictures of the video that were rendered, since it was attached. */
  rendered = 0;
  counts = { rendered: 0, swaps: 0 };

  /**
   * @param {HTMLVideoElement} video above the canvas
   * @param {import("./canvas.js").PictureCanvas} pictures what draws on the canvas
   */
  constructor(video, pictures) {
    super();
    this.#video = video;
    this.#pictures = pictures;
  }

  /** What is seen. */
  get top() {
    return this.#top;
  }

  /** Whether what is wanted is what is seen. */
  get settled() {
    return this.#top === this.#wanted;
  }

  /** The size of the picture that is seen. */
  get size() {
    const { videoWidth: width, videoHeight: height } = this.#video;
    return this.#top === "webrtc" ? { width, height } : this.#pictures.size;
  }

  /** Play a stream, unseen yet. @param {MediaStream} stream @param {TimeOf} timeOf */
  attach(stream, timeOf) {
    this.detach();
    this.#timeOf = timeOf;
    this.#video.srcObject = stream;
    this.#video.play().catch(() => {}); // muted, it may; taken away meanwhile, it need not
    this.#callback = this.#video.requestVideoFrameCallback(this.#onFrame);
  }

  /** Forget the stream. The canvas is what is seen. */
  detach() {
    this.yield();
    this.#video.cancelVideoFrameCallback(this.#callback);
    this.#video.srcObject = null;
    this.#lagMs = NaN;
    this.rendered = 0;
  }

  /**
   * Put it on top as soon as its picture is no older than the one that is seen.
   * @param {Transport} transport @param {number} nowMs
   */
  want(transport, nowMs) {
    this.#wanted = transport;
    this.#wantedAtMs = nowMs;
    this.#drawnSince = false;
    this.#pictures.paused = transport === "webrtc" && this.#top === "webrtc";
    if (transport === "webrtc" && this.#videoMs >= this.#canvasMs - ROUNDING_MS) {
      this.#put("webrtc");
    }
  }

  /** The canvas shows this picture. @param {number} mediaMs */
  drew(mediaMs) {
    this.#canvasMs = mediaMs;
    this.#drawnSince = true;
    if (this.#wanted === "ws" && mediaMs >= this.#videoMs - ROUNDING_MS) this.#put("ws");
  }

  /** The video will show nothing new: the canvas takes its last picture over, and goes on. */
  yield() {
    if (this.#top === "webrtc") this.#pictures.take(this.#video, this.#videoMs);
    this.#videoMs = -Infinity;
    this.want("ws", 0);
    this.#put("ws");
  }

  /** How much older than what is drawn the video's pictures are, at its last one. */
  get lagMs() {
    return this.#lagMs;
  }

  /** Another clock begins. */
  reset() {
    this.#canvasMs = -Infinity;
  }

  /** @param {number} nowMs @param {boolean} visible whether the page is */
  tick(nowMs, visible) {
    if (this.settled) return;
    const waitedMs = visible ? nowMs - this.#wantedAtMs : Infinity;
    if (this.#wanted === "webrtc") {
      // Whatever is drawn from here on would have to be caught up with.
      this.#pictures.paused = waitedMs > HOPE_MS;
      if (waitedMs > HOPE_MS + PATIENCE_MS) this.#put("webrtc");
    } else if (waitedMs > HOPE_MS && this.#drawnSince) {
      // What is drawn is older, and stays so: the canvas waits with the video's last picture.
      this.yield();
    }
  }

  /** @param {number} _now @param {VideoFrameCallbackMetadata} frame */
  #onFrame = (_now, { rtpTimestamp, receiveTime: receivedMs, width }) => {
    this.#callback = this.#video.requestVideoFrameCallback(this.#onFrame);
    if (width < LEAST_WIDTH) return;
    this.rendered++;
    const mediaMs = rtpTimestamp === undefined ? null : this.#timeOf(rtpTimestamp);
    this.#videoMs = mediaMs ?? this.#canvasMs;
    if (this.#top === "ws") this.#lagMs = this.#canvasMs - this.#videoMs;
    if (this.#wanted === "webrtc" && this.#videoMs >= this.#canvasMs - ROUNDING_MS) {
      this.#put("webrtc");
    }
    if (this.#top === "webrtc") this.counts.rendered++;
    const detail = { mediaMs, nowMs: performance.now(), receivedMs };
    this.dispatchEvent(new CustomEvent("frame", { detail }));
  };

  /** @param {Transport} transport */
  #put(transport) {
    if (this.#top === transport) return;
    this.#top = transport;
    this.#pictures.paused = transport === "webrtc";
    this.counts.swaps++;
    this.#video.classList.toggle("top", transport === "webrtc");
  }
}
