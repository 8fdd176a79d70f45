// @ts-check
/** What the overlay shows, from what happens: rates, latency, skew. No DOM: times come in. */

export class Gauges {
  #serverMinusLocalMs = NaN;
  #bestRttMs = Infinity;
  #latencyMs = NaN;
  #skewMs = NaN;
  #mark = { atMs: 0, bytes: 0, drawn: 0 };
  #rates = { kbps: NaN, fps: NaN };

  /** An answer to a ping sent at `sentMs`: the quickest says best how the clocks differ.
   * @param {number} sentMs @param {number} mediaMs @param {number} nowMs */
  pong(sentMs, mediaMs, nowMs) {
    const rttMs = nowMs - sentMs;
    if (rttMs > this.#bestRttMs) return;
    this.#bestRttMs = rttMs;
    this.#serverMinusLocalMs = mediaMs - (sentMs + rttMs / 2);
  }

  /** A picture was drawn while the sound of `heardMs` was heard.
   * @param {number} mediaMs @param {number} nowMs @param {number | null} heardMs */
  drawn(mediaMs, nowMs, heardMs) {
    this.#latencyMs = nowMs + this.#serverMinusLocalMs - mediaMs;
    this.#skewMs = heardMs === null ? NaN : heardMs - mediaMs;
  }

  /** @param {number} nowMs @param {Record<string, number>} [bytes] @param {number} [drawn] */
  read(nowMs, bytes = {}, drawn = 0) {
    const total = Object.values(bytes).reduce((a, b) => a + b, 0);
    const elapsedMs = nowMs - this.#mark.atMs;
    if (elapsedMs >= 400) {
      this.#rates = {
        kbps: ((total - this.#mark.bytes) * 8) / elapsedMs,
        fps: ((drawn - this.#mark.drawn) * 1000) / elapsedMs,
      };
      this.#mark = { atMs: nowMs, bytes: total, drawn };
    }
    return { ...this.#rates, latencyMs: this.#latencyMs, skewMs: this.#skewMs };
  }

  /** A new session has a new clock. */
  reset() {
    this.#bestRttMs = Infinity;
    this.#serverMinusLocalMs = this.#latencyMs = this.#skewMs = NaN;
  }
}
