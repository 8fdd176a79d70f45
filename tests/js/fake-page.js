// A page without a browser, as far as pictures need one: its clock, its refreshes, whether it is
// seen, and decoders that give what they are told to give, when they are told to.

class FakeBitmap {
  width = 64;
  height = 48;
  closed = false;
  close() {
    this.closed = true;
  }
}

export class FakeVideoDecoder {
  /** All that were made, in order. @type {FakeVideoDecoder[]} */
  static made = [];
  state = "unconfigured";
  chunks = /** @type {{type: string, timestamp: number}[]} */ ([]);

  /** @param {{output(frame: any): void, error(error: Error): void}} init */
  constructor(init) {
    this.init = init;
    FakeVideoDecoder.made.push(this);
  }
  configure() {
    this.state = "configured";
  }
  /** @param {any} chunk */
  decode(chunk) {
    this.chunks.push(chunk);
  }
  close() {
    this.state = "closed";
  }
  /** Have the oldest that is under way come out. */
  give() {
    const { timestamp } = /** @type {{timestamp: number}} */ (this.chunks.shift());
    const frame = Object.assign(new FakeBitmap(), { timestamp, displayWidth: 64, displayHeight: 48 });
    this.init.output(frame);
    return frame;
  }
  fail() {
    this.state = "closed";
    this.init.error(new Error("as the test wants it"));
  }
}

/** What `requestAnimationFrame` was given. @type {Map<number, () => void>} */
const frames = new Map();
/** JPEGs under way. @type {((it: {bitmap?: FakeBitmap}) => void)[]} */
const decoding = [];
let asked = 0;

export const page = Object.assign(new EventTarget(), {
  nowMs: 1000,
  visibilityState: "visible",
  /** @param {"visible" | "hidden"} state */
  show(state) {
    page.visibilityState = state;
    page.dispatchEvent(new Event("visibilitychange"));
  },
  /** The next refresh of the screen; a hidden page has none. */
  refresh() {
    if (page.visibilityState === "hidden") return;
    const due = [...frames.values()];
    frames.clear();
    for (const act of due) act();
  },
  /** Have the oldest JPEG that is under way be decoded, or fail. @param {boolean} [well] */
  async decodeJpeg(well = true) {
    const bitmap = new FakeBitmap();
    decoding.shift()?.(well ? { bitmap } : {});
    await new Promise((done) => setImmediate(done));
    return bitmap;
  },
});

/** Something to draw on. */
export function fakeCanvas() {
  const drawn = /** @type {any[]} */ ([]);
  const context = { drawImage: (/** @type {any} */ it) => drawn.push(it) };
  return /** @type {any} */ ({ width: 0, height: 0, drawn, getContext: () => context });
}

performance.now = () => page.nowMs;
Object.assign(globalThis, {
  document: page,
  requestAnimationFrame(/** @type {() => void} */ act) {
    frames.set(++asked, act);
    return asked;
  },
  cancelAnimationFrame: (/** @type {number} */ id) => frames.delete(id),
  createImageBitmap: () =>
    new Promise((resolve, reject) =>
      decoding.push(({ bitmap }) => (bitmap ? resolve(bitmap) : reject(new Error("no JPEG")))),
    ),
  VideoDecoder: FakeVideoDecoder,
  EncodedVideoChunk: class {
    constructor(/** @type {object} */ init) {
      Object.assign(this, init);
    }
  },
});
console.warn = () => {};
