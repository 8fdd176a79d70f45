// @ts-check
/**
 * When the upgrade is tried again. Pure: time and chance are arguments.
 *
 * The waits grow from seconds to minutes. A transport that came to be and broke twice within a
 * short while is benched: it would only break again in the middle of a sentence. A change of
 * network makes all that was learnt worthless.
 */

const WAITS_MS = [2_000, 8_000, 30_000, 120_000, 300_000];
/** While somebody insists on it. */
const EAGER_MS = [1_000, 2_000, 5_000, 10_000];
const JITTER = 0.2;
const BROKE_WITHIN_MS = 90_000;
const BENCH_MS = 60_000;

export class Retry {
  #failures = 0;
  #brokeMs = -Infinity;
  #benchedUntilMs = -Infinity;
  #notBeforeMs = -Infinity;
  /** Whether waits are short. */
  eager = false;

  /** @param {() => number} [random] from 0 to 1 */
  constructor(random = Math.random) {
    this.random = random;
  }

  /** How many times it failed since it last went well. */
  get failures() {
    return this.#failures;
  }

  /** Whether it may be tried. @param {number} nowMs */
  allows(nowMs) {
    return this.waitMs(nowMs) === 0;
  }

  /** How long to wait yet. @param {number} nowMs */
  waitMs(nowMs) {
    return Math.max(0, this.#notBeforeMs - nowMs);
  }

  /**
   * It failed. `signalling` is false when the socket is gone as well: then the fault is not the
   * transport's, and nothing is counted.
   * @param {"connect" | "transit"} kind @param {number} nowMs @param {boolean} [signalling]
   */
  failed(kind, nowMs, signalling = true) {
    if (!signalling) return;
    this.#failures++;
    if (kind === "transit") {
      if (nowMs - this.#brokeMs < BROKE_WITHIN_MS) this.#benchedUntilMs = nowMs + BENCH_MS;
      this.#brokeMs = nowMs;
    }
    const waits = this.eager ? EAGER_MS : WAITS_MS;
    const waitMs = waits[Math.min(this.#failures, waits.length) - 1];
    const jitter = 1 + JITTER * (2 * this.random() - 1);
    this.#notBeforeMs = Math.max(nowMs + waitMs * jitter, this.eager ? 0 : this.#benchedUntilMs);
  }

  /** It went well: the next failure is a first one. That it broke before is not forgotten. */
  succeeded() {
    this.#failures = 0;
  }

  /** Another network, or somebody asks: try at once, and begin the waits anew. */
  reset() {
    this.#failures = 0;
    this.#brokeMs = this.#benchedUntilMs = this.#notBeforeMs = -Infinity;
  }
}
