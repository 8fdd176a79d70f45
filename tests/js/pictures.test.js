// From payloads to what can be drawn: what becomes of those that cannot be decoded, or never come.
import assert from "node:assert/strict";
import { beforeEach, test } from "node:test";
import { FrameType } from "../../static/core/protocol.js";
import { FakeVideoDecoder, page } from "./fake-page.js";

const { PictureDecoder } = await import("../../static/video/decoder.js");
const { VIDEO, VIDEO_H264: DELTA, VIDEO_H264_KEY: KEY } = FrameType;
const PAYLOAD = Uint8Array.of(1);

beforeEach(() => void FakeVideoDecoder.made.splice(0));

function decoder() {
  const made = new PictureDecoder();
  const told = /** @type {any[]} */ ([]);
  for (const name of ["ready", "failed", "broken", "unable"]) {
    made.addEventListener(name, (event) => {
      const mediaMs = /** @type {any} */ (event).detail?.mediaMs;
      told.push(mediaMs === undefined ? name : `${name} ${mediaMs}`);
    });
  }
  return {
    made,
    push: (/** @type {number} */ type, /** @type {number} */ mediaMs) => made.push(type, mediaMs, PAYLOAD),
    /** What was told since it was asked last. */
    told: () => told.splice(0),
  };
}

const video = () => /** @type {FakeVideoDecoder} */ (FakeVideoDecoder.made.at(-1));

test("H.264 comes out as it went in", () => {
  const { push, told } = decoder();
  push(KEY, 0);
  push(DELTA, 40);
  video().give();
  video().give();
  assert.deepEqual(told(), ["ready 0", "ready 40"]);
});

test("H.264 that fails once is begun anew, with a key picture", () => {
  const { push, told } = decoder();
  push(KEY, 0);
  push(DELTA, 40);
  video().fail();
  assert.deepEqual(told(), ["broken", "failed 0", "broken", "failed 40"]);
  push(DELTA, 80);
  assert.deepEqual(told(), ["broken", "failed 80"]);
  push(KEY, 120);
  video().give();
  assert.deepEqual(told(), ["ready 120"]);
});

test("H.264 that fails three times without a picture is not to be had here", () => {
  const { push, told } = decoder();
  for (const mediaMs of [0, 40]) {
    push(KEY, mediaMs);
    video().fail();
  }
  assert(!told().includes("unable"));
  push(KEY, 80);
  video().fail();
  assert.equal(told().at(-1), "unable");
});

test("between failures a picture is enough", () => {
  const { push, told } = decoder();
  for (let mediaMs = 0; mediaMs < 400; mediaMs += 80) {
    push(KEY, mediaMs);
    video().give();
    push(DELTA, mediaMs + 40);
    video().fail();
  }
  assert(!told().includes("unable"));
});

test("a decoder that takes a picture no more counts as one that fails", () => {
  const { push, told } = decoder();
  push(KEY, 0);
  video().decode = () => {
    throw new Error("a key picture is needed");
  };
  push(DELTA, 40);
  assert.deepEqual(told(), ["broken", "failed 0", "broken", "failed 40"]);
  assert.equal(video().state, "closed");
});

test("a decoder that goes silent is given up, and H.264 with it when another one does no better", () => {
  const { push, told } = decoder();
  for (let n = 0; n < 3; n++) {
    assert(!told().includes("unable"));
    push(KEY, n * 4000);
    page.nowMs += 1900;
    push(DELTA, n * 4000 + 1900);
    assert.deepEqual(told(), []);
    page.nowMs += 200;
    push(DELTA, n * 4000 + 2100); // is needless: it waits for a key picture
    assert.equal(video().state, "closed");
  }
  const all = told();
  assert.deepEqual(all.filter((it) => it === "unable"), ["unable"]);
  assert(all.includes("failed 8000") && all.includes("failed 10100"));
});

test("what a decoder keeps while nothing comes, as in a hidden page, costs a key picture at most", () => {
  const { push, told } = decoder();
  for (let n = 0; n < 5; n++) {
    push(KEY, n * 100_000);
    push(DELTA, n * 100_000 + 40);
    video().give();
    page.nowMs += 60_000;
    push(KEY, n * 100_000 + 60_000);
    video().give();
  }
  assert(!told().includes("unable"));
});

test("what is under way as another stream begins is heard of no more", async () => {
  const { made, push, told } = decoder();
  push(VIDEO, 3_600_000);
  push(VIDEO, 3_600_040);
  push(KEY, 3_600_080);
  const old = video();
  made.reset();
  push(VIDEO, 0);
  const bitmap = await page.decodeJpeg();
  await page.decodeJpeg(false);
  const frame = old.give();
  await page.decodeJpeg();
  assert.deepEqual(told(), ["ready 0"]);
  assert(bitmap.closed && frame.closed);
});

test("a JPEG that is under way as H.264 fails comes all the same", async () => {
  const { push, told } = decoder();
  push(VIDEO, 0);
  push(KEY, 40);
  video().fail();
  told();
  await page.decodeJpeg();
  assert.deepEqual(told(), ["ready 0"]);
});

test("what the browser has no room for is told, and holds up nothing", async () => {
  const { push, told } = decoder();
  for (let n = 0; n < 17; n++) push(VIDEO, n * 40);
  assert.deepEqual(told(), ["failed 640"]);
  for (let n = 0; n < 16; n++) await page.decodeJpeg();
  assert.equal(told().length, 16);
  push(VIDEO, 680);
  await page.decodeJpeg();
  assert.deepEqual(told(), ["ready 680"]);
});
