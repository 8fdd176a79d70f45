// @ts-check
/**
 * Pictures to a canvas, each when its sound is heard. Decoding is off the main thread
 * (createImageBitmap), drawing in requestAnimationFrame; what is late is dropped, newest wins.
 */

/** Decoded and waiting for their time. More than this many means the clock stands. */
const MAX_WAITING = 16;
/** A picture is drawn when its time is nearer than the next refresh's. */
const EARLY_MS = 8;

/**
 * Events: `drawn`, `detail` is `{mediaMs, decodeMs, heldMs}`.
 */
export class PictureCanvas extends EventTarget {
  #canvas;
  #context;
  #clock;
  /** @type {{mediaMs: number, bitmap: ImageBitmap, decodeMs: number, readyMs: number}[]} */
  #waiting = [];
  #decoding = Promise.resolve();
  #decodingCount = 0;
  #frame = 0;
  #lastMs = -Infinity;
  #closed = false;
  counts = { drawn: 0, late: 0, failed: 0, overrun: 0 };

  /**
   * @param {HTMLCanvasElement} canvas
   * @param {(nowMs: number) => number | null} clock the media time presented at a performance.now()
   */
  constructor(canvas, clock) {
    super();
    this.#canvas = canvas;
    this.#context = /** @type {CanvasRenderingContext2D} */ (
      canvas.getContext("2d", { alpha: false })
    );
    this.#clock = clock;
  }

  /** A JPEG. @param {number} mediaMs @param {Uint8Array} jpeg */
  push(mediaMs, jpeg) {
    if (this.#decodingCount + this.#waiting.length >= MAX_WAITING) {
      this.counts.overrun++;
      return;
    }
    this.#decodingCount++;
    const startMs = performance.now();
    const bitmap = createImageBitmap(new Blob([jpeg], { type: "image/jpeg" }));
    // In order, whatever the order in which decoding ends.
    this.#decoding = this.#decoding.then(async () => {
      try {
        this.#ready(mediaMs, await bitmap, startMs);
      } catch {
        this.counts.failed++;
        this.#tell(mediaMs, 0, 0); // acknowledged all the same, or the window would stay shut
      } finally {
        this.#decodingCount--;
      }
    });
  }

  /** Another clock begins. What is on the canvas stays. */
  reset() {
    for (const { bitmap } of this.#waiting) bitmap.close();
    this.#waiting = [];
    this.#lastMs = -Infinity;
  }

  close() {
    this.#closed = true;
    cancelAnimationFrame(this.#frame);
    this.reset();
  }

  /** @param {number} mediaMs @param {ImageBitmap} bitmap @param {number} startMs */
  #ready(mediaMs, bitmap, startMs) {
    if (this.#closed) return bitmap.close();
    const readyMs = performance.now();
    this.#waiting.push({ mediaMs, bitmap, decodeMs: readyMs - startMs, readyMs });
    this.#frame ||= requestAnimationFrame(this.#draw);
  }

  #draw = () => {
    this.#frame = 0;
    if (this.#closed) return;
    const nowMs = performance.now();
    const mediaMs = this.#clock(nowMs) ?? Infinity;
    let due = -1;
    while (due + 1 < this.#waiting.length && this.#waiting[due + 1].mediaMs <= mediaMs + EARLY_MS) {
      due++;
    }
    if (due >= 0) {
      const [picture] = this.#waiting.splice(due, 1);
      for (const late of this.#waiting.splice(0, due)) {
        late.bitmap.close();
        this.counts.late++;
      }
      this.#show(picture, nowMs);
    }
    if (this.#waiting.length) this.#frame = requestAnimationFrame(this.#draw);
  };

  /** @param {{mediaMs: number, bitmap: ImageBitmap, decodeMs: number, readyMs: number}} picture
   * @param {number} nowMs */
  #show({ mediaMs, bitmap, decodeMs, readyMs }, nowMs) {
    const { width, height } = bitmap;
    if (this.#canvas.width !== width || this.#canvas.height !== height) {
      this.#canvas.width = width;
      this.#canvas.height = height;
    }
    this.#context.drawImage(bitmap, 0, 0);
    bitmap.close();
    this.#lastMs = mediaMs;
    this.counts.drawn++;
    this.#tell(mediaMs, decodeMs, nowMs - readyMs);
  }

  /** @param {number} mediaMs @param {number} decodeMs @param {number} heldMs */
  #tell(mediaMs, decodeMs, heldMs) {
    this.dispatchEvent(new CustomEvent("drawn", { detail: { mediaMs, decodeMs, heldMs } }));
  }
}
