// What is said, shown while it is heard.
import assert from "node:assert/strict";
import { afterEach, beforeEach, mock, test } from "node:test";
import { Captions } from "../../static/ui/captions.js";

Object.assign(globalThis, { document: { createElement: () => ({ textContent: "" }) } });

beforeEach(() => mock.timers.enable({ apis: ["setInterval"] }));
afterEach(() => mock.timers.reset());

function captions() {
  const clock = { mediaMs: 0 };
  const shown = { text: "" };
  const element = /** @type {any} */ ({
    replaceChildren: (/** @type {any} */ line) => void (shown.text = line?.textContent ?? ""),
  });
  const made = new Captions(element, () => clock.mediaMs);
  const at = (/** @type {number} */ mediaMs) => {
    clock.mediaMs = mediaMs;
    mock.timers.tick(100);
    return shown.text;
  };
  return { made, at, shown };
}

test("a sentence is shown from when it is heard until the agent has been silent for a while", () => {
  const { made, at } = captions();
  made.add(1000, "One.");
  assert.equal(at(900), "");
  assert.equal(at(1000), "One.");
  made.end(2000);
  assert.equal(at(4400), "One.");
  assert.equal(at(4600), "");
});

test("once cleared, none of an old clock keeps those of a new one from being shown", () => {
  const { made, at, shown } = captions();
  made.add(3_600_000, "Of the old one.");
  made.clear();
  made.add(40, "Of the new one.");
  assert.equal(at(40), "Of the new one.");
  made.clear();
  assert.equal(shown.text, "");
});

test("closed, it leaves nothing that is shown", () => {
  const { made, at, shown } = captions();
  made.add(0, "One.");
  assert.equal(at(0), "One.");
  made.close();
  assert.equal(shown.text, "");
});
