// @ts-check
/** What is said, shown while it is heard. */

const POLL_MS = 100;
/** The last sentence stays for so long after the agent has fallen silent. */
const LINGER_MS = 2500;

export class Captions {
  #element;
  #clock;
  /** @type {{atMs: number, text: string}[]} */
  #waiting = [];
  #timer;
  #hideAtMs = Infinity;

  /** @param {HTMLElement} element @param {(nowMs: number) => number | null} clock */
  constructor(element, clock) {
    this.#element = element;
    this.#clock = clock;
    this.#timer = setInterval(() => this.#look(), POLL_MS);
  }

  /** @param {number} atMs media time @param {string} text */
  add(atMs, text) {
    this.#waiting.push({ atMs, text });
    this.#hideAtMs = Infinity;
  }

  /** The agent speaks no more from `atMs` on. @param {number} atMs media time */
  end(atMs) {
    this.#hideAtMs = atMs + LINGER_MS;
  }

  /** Interrupted, or another clock begins: nothing that waits will be said. */
  clear() {
    this.#waiting = [];
    this.#element.replaceChildren();
  }

  close() {
    clearInterval(this.#timer);
    this.clear();
  }

  #look() {
    const mediaMs = this.#clock(performance.now());
    if (mediaMs === null) return;
    while (this.#waiting.length && this.#waiting[0].atMs <= mediaMs) {
      const line = document.createElement("span");
      line.textContent = /** @type {{text: string}} */ (this.#waiting.shift()).text;
      this.#element.replaceChildren(line);
    }
    if (mediaMs > this.#hideAtMs) {
      this.#element.replaceChildren();
      this.#hideAtMs = Infinity;
    }
  }
}
