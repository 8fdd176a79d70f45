// Pictures to the canvas: when each is drawn, and what is said of those that are not.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { FrameType } from "../../static/core/protocol.js";
import { fakeCanvas, FakeVideoDecoder, page } from "./fake-page.js";

const { PictureCanvas } = await import("../../static/video/canvas.js");
const JPEG = Uint8Array.of(1);

beforeEach(() => page.show("visible"));

/** @param {number | null} [mediaMs] what is heard */
function canvas(mediaMs = 0) {
  const element = fakeCanvas();
  const clock = { mediaMs };
  const pictures = new PictureCanvas(element, () => clock.mediaMs);
  const told = /** @type {any[]} */ ([]);
  pictures.addEventListener("drawn", (event) => told.push(/** @type {any} */ (event).detail));
  /** Whole pictures of these times, decoded. @param {number[]} times */
  const push = async (...times) => {
    for (const atMs of times) pictures.push(FrameType.VIDEO, atMs, JPEG);
    const bitmaps = [];
    for (const _ of times) bitmaps.push(await page.decodeJpeg());
    return bitmaps;
  };
  const shown = () => told.map(({ mediaMs, shown }) => [mediaMs, shown]);
  return { element, pictures, clock, told, shown, push };
}

test("a picture is drawn when its sound is heard, and let go then", async () => {
  const { element, clock, told, push } = canvas(0);
  const [bitmap] = await push(40);
  page.refresh();
  assert.deepEqual(told, []);
  [clock.mediaMs, page.nowMs] = [40, page.nowMs + 40];
  page.refresh();
  assert.deepEqual(element.drawn, [bitmap]);
  assert.deepEqual(told, [{ mediaMs: 40, decodeMs: 0, heldMs: 40, shown: true }]);
  assert(bitmap.closed);
});

test("as the page is hidden, what waits is let go, and said not to be shown", async () => {
  const { element, shown, push } = canvas(0);
  const bitmaps = await push(40, 80);
  page.show("hidden");
  assert.deepEqual(shown(), [[80, false]]);
  assert(bitmaps.every(({ closed }) => closed));
  page.nowMs += 4 * 3_600_000;
  page.show("visible");
  page.refresh();
  assert.deepEqual(shown(), [[80, false]]);
  assert.deepEqual(element.drawn, []);
});

test("what comes to a hidden page is let go at once", async () => {
  const { element, shown, push } = canvas(0);
  page.show("hidden");
  const [bitmap] = await push(40);
  assert.deepEqual(shown(), [[40, false]]);
  assert(bitmap.closed);
  page.show("visible");
  page.refresh();
  assert.deepEqual(element.drawn, []);
});

test("a page that is shown again draws what comes then", async () => {
  const { element, clock, shown, push } = canvas(0);
  await push(40);
  page.show("hidden");
  page.show("visible");
  clock.mediaMs = 80;
  const [bitmap] = await push(80);
  page.refresh();
  assert.deepEqual(element.drawn, [bitmap]);
  assert.deepEqual(shown(), [[40, false], [80, true]]);
});

test("while the clock stands, what there is no room for is said not to be shown", async () => {
  const { pictures, shown, push } = canvas(0);
  const bitmaps = [];
  for (let n = 0; n < 17; n++) bitmaps.push(...(await push(40 + n * 40)));
  assert.deepEqual(shown(), [[680, false]]);
  assert.deepEqual(bitmaps.map(({ closed }) => closed).indexOf(true), 16);
  assert.equal(pictures.counts.overrun, 1);
});

test("a picture of another clock, decoded late, keeps none of the new one waiting", async () => {
  const { element, pictures, clock, shown, push } = canvas(3_600_000);
  pictures.push(FrameType.VIDEO, 3_600_040, JPEG);
  pictures.reset();
  clock.mediaMs = 0;
  await push(0);
  const bitmap = await page.decodeJpeg(); // push(0) had the old one come first
  page.refresh();
  assert.deepEqual(element.drawn, [bitmap]);
  assert.deepEqual(shown(), [[0, true]]);
});

test("that H.264 is not to be had is passed on", () => {
  const { pictures } = canvas();
  let unable = 0;
  pictures.addEventListener("unable", () => unable++);
  for (let n = 0; n < 3; n++) {
    pictures.push(FrameType.VIDEO_H264_KEY, n * 40, JPEG);
    FakeVideoDecoder.made.at(-1)?.fail();
  }
  assert.equal(unable, 1);
});
