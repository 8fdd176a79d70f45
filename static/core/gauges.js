// @ts-check
/** What the overlay shows, from what happens: rates, latency, skew. No DOM: times come in. */

/** Times of the server are whole. */
const ROUNDING_MS = 1;

export class Gauges {
  #serverMinusLocalMs = NaN;
  #bestRttMs = Infinity;
  #latencyMs = NaN;
  #skewMs = NaN;
  #mark = { atMs: 0, bytes: /** @type {Record<string, number>} */ ({}), drawn: 0 };
  #rates = { kbps: NaN, fps: NaN };

  /** From the server's clock to the screen, of the last picture. */
  get latencyMs() {
    return this.#latencyMs;
  }

  /** An answer to a ping sent at `sentMs`: the quickest says best how the clocks differ. Each is
   * right within half its round trip: where two cannot both be, a clock has moved since.
   * @param {number} sentMs @param {number} mediaMs @param {number} nowMs */
  pong(sentMs, mediaMs, nowMs) {
    const rttMs = nowMs - sentMs;
    const serverMinusLocalMs = mediaMs - (sentMs + rttMs / 2);
    const apartMs = Math.abs(serverMinusLocalMs - this.#serverMinusLocalMs);
    const moved = apartMs > (rttMs + this.#bestRttMs) / 2 + ROUNDING_MS;
    if (rttMs > this.#bestRttMs && !moved) return;
    this.#bestRttMs = rttMs;
    this.#serverMinusLocalMs = serverMinusLocalMs;
  }

  /** A picture was drawn while the sound of `heardMs` was heard.
   * @param {number} mediaMs @param {number} nowMs @param {number | null} heardMs */
  drawn(mediaMs, nowMs, heardMs) {
    this.#latencyMs = nowMs + this.#serverMinusLocalMs - mediaMs;
    this.#skewMs = heardMs === null ? NaN : heardMs - mediaMs;
  }

  /** @param {number} nowMs @param {Record<string, number>} [bytes] @param {number} [drawn] */
  read(nowMs, bytes = {}, drawn = 0) {
    const elapsedMs = nowMs - this.#mark.atMs;
    if (elapsedMs >= 400) {
      let came = 0;
      for (const [name, count] of Object.entries(bytes)) {
        const before = this.#mark.bytes[name] ?? 0;
        came += count < before ? count : count - before; // a new peer counts anew
      }
      this.#rates = {
        kbps: (came * 8) / elapsedMs,
        fps: ((drawn - this.#mark.drawn) * 1000) / elapsedMs,
      };
      this.#mark = { atMs: nowMs, bytes: { ...bytes }, drawn };
    }
    return { ...this.#rates, latencyMs: this.#latencyMs, skewMs: this.#skewMs };
  }

  /** A new session has a new clock. */
  reset() {
    this.#bestRttMs = Infinity;
    this.#serverMinusLocalMs = this.#latencyMs = this.#skewMs = NaN;
  }
}
