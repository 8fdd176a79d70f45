// @ts-check
/**
 * From payloads to what can be drawn: whole JPEGs and patches by createImageBitmap, H.264 by
 * WebCodecs. Everything comes out in the order in which it went in.
 */
import { BadMessage, decodeRegions, FrameType } from "../core/protocol.js";

/** Constrained baseline 3.1, in Annex B; the stream itself says the rest. */
const H264 = { codec: "avc1.42E01F", optimizeForLatency: true };
/** More than this many under way means that the browser does not keep up. */
const MAX_DECODING = 16;
/** A decoder that holds a picture for longer holds it for good. */
const SILENT_MS = 2000;
/** After so many failures without a picture between, H.264 is not to be had, whatever was promised. */
const MAX_FAILURES = 3;

/**
 * One picture, or a part of one.
 * @typedef {{
 *   mediaMs: number, decodeMs: number, readyMs: number, whole: boolean, width: number,
 *   height: number, draw(context: CanvasRenderingContext2D): void, close(): void,
 * }} Drawable
 */

/** Whether this browser decodes H.264 that comes over a WebSocket. */
export async function canH264() {
  if (!("VideoDecoder" in globalThis)) return false;
  try {
    return (await VideoDecoder.isConfigSupported(H264)).supported === true;
  } catch {
    return false;
  }
}

/**
 * Events: `ready` (detail: a Drawable); `failed` (detail: `{mediaMs, overrun}`) for one that is not
 * to be had; `broken` when what follows needs a new beginning; `unable` when H.264 had better not
 * come at all.
 */
export class PictureDecoder extends EventTarget {
  #order = Promise.resolve();
  #decoding = 0;
  /** @type {VideoDecoder | null} */
  #video = null;
  /** @type {Map<number, number>} by timestamp, when it went in */
  #startedMs = new Map();
  #needsKey = true;
  /** Of H.264, since the last picture. */
  #failures = 0;
  /** Counts the streams: what comes of an older one is nobody's. */
  #stream = 0;
  #closed = false;

  /** @param {number} type @param {number} mediaMs @param {Uint8Array} payload */
  push(type, mediaMs, payload) {
    const [oldestMs = Infinity] = this.#startedMs.values();
    if (performance.now() - oldestMs > SILENT_MS) this.#lost("nothing came of it");
    if (this.#decoding + this.#startedMs.size >= MAX_DECODING) {
      return this.#fail(mediaMs, type !== FrameType.VIDEO, true);
    }
    if (type === FrameType.VIDEO) this.#jpeg(mediaMs, [{ x: 0, y: 0, jpeg: payload }], true);
    else if (type === FrameType.VIDEO_PATCH) this.#patch(mediaMs, payload);
    else this.#h264(mediaMs, payload, type === FrameType.VIDEO_H264_KEY);
  }

  /** Another stream begins. */
  reset() {
    this.#stream++;
    this.#closeVideo();
  }

  close() {
    this.#closed = true;
    this.reset();
  }

  /** @param {number} mediaMs @param {Uint8Array} payload */
  #patch(mediaMs, payload) {
    try {
      this.#jpeg(mediaMs, decodeRegions(payload), false);
    } catch (error) {
      if (!(error instanceof BadMessage)) throw error;
      this.#fail(mediaMs, true);
    }
  }

  /** @param {number} mediaMs @param {{x: number, y: number, jpeg: Uint8Array}[]} parts
   * @param {boolean} whole */
  #jpeg(mediaMs, parts, whole) {
    this.#decoding++;
    const [stream, startMs] = [this.#stream, performance.now()];
    const bitmaps = Promise.all(
      parts.map(({ jpeg }) => createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }))),
    );
    bitmaps.catch(() => {}); // seen to below, in its turn
    this.#order = this.#order.then(async () => {
      try {
        const made = await bitmaps;
        if (stream !== this.#stream) return made.forEach((bitmap) => bitmap.close());
        this.#ready(mediaMs, startMs, {
          whole,
          width: made[0]?.width ?? 0,
          height: made[0]?.height ?? 0,
          draw: (context) =>
            made.forEach((bitmap, i) => context.drawImage(bitmap, parts[i].x, parts[i].y)),
          close: () => made.forEach((bitmap) => bitmap.close()),
        });
      } catch {
        if (stream === this.#stream) this.#fail(mediaMs, !whole);
      } finally {
        this.#decoding--;
      }
    });
  }

  /** @param {number} mediaMs @param {Uint8Array} payload @param {boolean} key */
  #h264(mediaMs, payload, key) {
    if (this.#needsKey && !key) return this.#fail(mediaMs, true);
    this.#needsKey = false;
    const timestamp = mediaMs * 1000;
    this.#startedMs.set(timestamp, performance.now());
    const type = key ? "key" : "delta";
    try {
      if (this.#video?.state !== "configured") this.#video = this.#openVideo();
      this.#video.decode(new EncodedVideoChunk({ type, timestamp, data: payload }));
    } catch (error) {
      this.#lost(/** @type {Error} */ (error).message);
    }
  }

  #openVideo() {
    const video = new VideoDecoder({
      output: (frame) => {
        if (this.#video !== video) return frame.close();
        this.#failures = 0;
        const startMs = this.#startedMs.get(frame.timestamp) ?? performance.now();
        this.#startedMs.delete(frame.timestamp);
        const { displayWidth: width, displayHeight: height } = frame;
        this.#ready(frame.timestamp / 1000, startMs, {
          whole: true,
          width,
          height,
          draw: (context) => context.drawImage(frame, 0, 0, width, height),
          close: () => frame.close(),
        });
      },
      error: (error) => {
        if (this.#video === video) this.#lost(error.message);
      },
    });
    video.configure(H264);
    return video;
  }

  /** What H.264 is under way is lost. @param {string} why */
  #lost(why) {
    console.warn("wsstream: H.264 could not be decoded:", why);
    const waiting = [...this.#startedMs.keys()];
    this.#closeVideo();
    for (const timestamp of waiting) this.#fail(timestamp / 1000, true);
    if (++this.#failures === MAX_FAILURES) this.dispatchEvent(new Event("unable"));
  }

  #closeVideo() {
    this.#needsKey = true;
    this.#startedMs.clear();
    if (this.#video?.state === "configured") this.#video.close();
    this.#video = null;
  }

  /** @param {number} mediaMs @param {number} startMs
   * @param {Omit<Drawable, "mediaMs" | "decodeMs" | "readyMs">} made */
  #ready(mediaMs, startMs, made) {
    if (this.#closed) return made.close();
    const readyMs = performance.now();
    const detail = { ...made, mediaMs, readyMs, decodeMs: readyMs - startMs };
    this.dispatchEvent(new CustomEvent("ready", { detail }));
  }

  /** @param {number} mediaMs @param {boolean} breaks whether what follows depends on it
   * @param {boolean} [overrun] whether it was not even tried */
  #fail(mediaMs, breaks, overrun = false) {
    if (this.#closed) return;
    if (breaks) {
      this.#needsKey = true;
      this.dispatchEvent(new Event("broken"));
    }
    this.dispatchEvent(new CustomEvent("failed", { detail: { mediaMs, overrun } }));
  }
}
