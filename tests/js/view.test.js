// How large the picture is shown, in a page of our own.
import assert from "node:assert/strict";
import { mock, test } from "node:test";
import { View } from "../../static/net/view.js";

mock.timers.enable({ apis: ["setTimeout"] });

class Query extends EventTarget {
  static all = /** @type {Query[]} */ ([]);
  listeners = 0;

  /** @param {string} media */
  constructor(media) {
    super();
    this.media = media;
    Query.all.push(this);
  }
  /** @param {any[]} args */
  addEventListener(...args) {
    this.listeners++;
    super.addEventListener(.../** @type {[any, any]} */ (args));
  }
  /** @param {any[]} args */
  removeEventListener(...args) {
    this.listeners--;
    super.removeEventListener(.../** @type {[any, any]} */ (args));
  }
}

Object.assign(globalThis, {
  document: Object.assign(new EventTarget(), { visibilityState: "visible" }),
  ResizeObserver: class {
    observe() {}
    disconnect() {}
  },
  matchMedia: (/** @type {string} */ media) => new Query(media),
  devicePixelRatio: 1,
});

/** The window comes to another screen. @param {number} ratio */
function move(ratio) {
  globalThis.devicePixelRatio = ratio;
  Query.all.at(-1)?.dispatchEvent(new Event("change"));
  mock.timers.tick(1000);
}

test("a denser screen alone is told, each time, until it is closed", () => {
  const element = /** @type {any} */ ({
    getBoundingClientRect: () => ({ width: 100, height: 50 }),
  });
  const view = new View(element);
  const told = /** @type {any[]} */ ([]);
  view.addEventListener("change", (event) => told.push(/** @type {any} */ (event).detail.width));
  move(2);
  move(1.5);
  assert.deepEqual(told, [200, 150]);
  assert.equal(Query.all.at(-1)?.media, "(resolution: 1.5dppx)");
  view.close();
  assert(Query.all.every(({ listeners }) => listeners === 0));
});
