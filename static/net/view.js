// @ts-check
/** How large the picture is shown, and whether at all: what is not seen is not worth sending. */

const SETTLE_MS = 250;

/** Events: `change`, `detail` is `{width, height, visible}`, in device pixels. */
export class View extends EventTarget {
  #element;
  #observer;
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  #timer;
  #last = "";
  /** Matches as long as the screen is as dense as it was. @type {MediaQueryList | undefined} */
  #density;

  /** @param {HTMLElement} element */
  constructor(element) {
    super();
    this.#element = element;
    this.#observer = new ResizeObserver(() => this.#later());
    this.#observer.observe(element);
    document.addEventListener("visibilitychange", this.#now);
    this.#watchDensity();
  }

  /** As it is now. */
  get current() {
    const { width, height } = this.#element.getBoundingClientRect();
    const ratio = globalThis.devicePixelRatio || 1;
    return {
      width: Math.min(32_767, Math.round(width * ratio)),
      height: Math.min(32_767, Math.round(height * ratio)),
      visible: document.visibilityState === "visible",
    };
  }

  close() {
    clearTimeout(this.#timer);
    this.#observer.disconnect();
    document.removeEventListener("visibilitychange", this.#now);
    this.#density?.removeEventListener("change", this.#onDensity);
  }

  /** Another screen, or another zoom, where no size in CSS pixels changes. */
  #onDensity = () => {
    this.#watchDensity();
    this.#later();
  };

  #watchDensity() {
    this.#density?.removeEventListener("change", this.#onDensity);
    this.#density = matchMedia(`(resolution: ${globalThis.devicePixelRatio || 1}dppx)`);
    this.#density.addEventListener("change", this.#onDensity);
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#now, SETTLE_MS);
  }

  #now = () => {
    const view = this.current;
    const text = JSON.stringify(view);
    if (text === this.#last) return;
    this.#last = text;
    this.dispatchEvent(new CustomEvent("change", { detail: view }));
  };
}
