// Opus to samples: what libopus does where packets are missing. The vendored one, on real packets.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { createDecoder } from "../../static/audio/decoder.js";

const file = (/** @type {string} */ path) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");
// A classic script, for a page; one of its classes is made for a worker.
const page = /** @type {any} */ (globalThis);
page.Worker ??= class {};
(0, eval)(file("static/vendor/opus-decoder/opus-decoder.min.js"));

/** 440 Hz at half of full scale. @type {Uint8Array[]} */
const packets = JSON.parse(file("tests/vectors/opus_tone.json")).packets.map(
  (/** @type {string} */ hex) => new Uint8Array(Buffer.from(hex, "hex")),
);
const TONE_STEP = 0.5 * 2 * Math.PI * (440 / 48_000);

/** What is heard of the packets at these places, by media time. @param {number[]} places */
async function heard(places) {
  /** @type {{mediaMs: number, pcm: Float32Array}[]} */
  const blocks = [];
  const decoder = await createDecoder((mediaMs, pcm) => {
    blocks.push({ mediaMs, pcm: pcm.slice() });
  }, "wasm");
  assert.equal(decoder.kind, "wasm");
  for (const n of places) decoder.decode(n * 20, packets[n]);
  return { blocks, decoder };
}

/** Until a decoder is made that was asked for. */
const made = () => new Promise((done) => setTimeout(done, 50));
const range = (/** @type {number} */ from, /** @type {number} */ to) =>
  Array.from({ length: to - from }, (_, n) => from + n);
const peak = (/** @type {Float32Array} */ pcm) => Math.max(...pcm.map(Math.abs));

test("without a gap nothing is concealed", async () => {
  const { blocks, decoder } = await heard(range(0, 25));
  assert.deepEqual(blocks.map((block) => block.mediaMs), range(0, 25).map((n) => n * 20));
  assert.deepEqual([decoder.concealedMs, decoder.failures], [0, 0]);
});

for (const missing of [1, 3, 5]) {
  test(`${missing} missing packets are concealed without a click or a hole`, async () => {
    const { blocks, decoder } = await heard([...range(0, 15), ...range(15 + missing, 25)]);
    assert.deepEqual(blocks.map((block) => block.mediaMs), range(0, 25).map((n) => n * 20));
    assert.deepEqual([decoder.concealedMs, decoder.failures], [missing * 20, 0]);
    const samples = blocks.slice(10).flatMap(({ pcm }) => [...pcm]);
    for (let i = 1; i < samples.length; i++) {
      assert(Math.abs(samples[i] - samples[i - 1]) < 2 * TONE_STEP, `at ${i}`);
    }
    assert(peak(blocks[15].pcm) > 0.2); // further on it fades, as it should
    assert(peak(blocks[15 + missing + 1].pcm) > 0.4);
  });
}

test("of a long gap only the beginning is concealed: the rest is for the ring to fade over", async () => {
  const { blocks, decoder } = await heard([...range(0, 15), ...range(22, 25)]);
  assert.deepEqual(
    blocks.map((block) => block.mediaMs / 20),
    [...range(0, 20), ...range(22, 25)],
  );
  assert.equal(decoder.concealedMs, 100);
});

test("sound of another clock is no gap", async () => {
  const { blocks, decoder } = await heard(range(0, 5));
  decoder.reset();
  await made();
  decoder.decode(90_000, packets[5]);
  assert.deepEqual(blocks.slice(5).map(({ mediaMs }) => mediaMs), [90_000]);
  assert.equal(decoder.concealedMs, 0);
});

test("until another clock's decoder is made, its sound is dropped: there is nothing to decode it", async () => {
  const { blocks, decoder } = await heard(range(0, 5));
  decoder.reset();
  decoder.decode(90_000, packets[5]);
  decoder.reset(); // it is being made already
  decoder.decode(90_020, packets[6]);
  assert.equal(blocks.length, 5);
  await made();
  for (const n of range(7, 15)) decoder.decode(90_000 + n * 20, packets[n]);
  assert.deepEqual(
    blocks.slice(5).map(({ mediaMs }) => mediaMs),
    range(7, 15).map((n) => 90_000 + n * 20),
  );
  assert(peak(/** @type {any} */ (blocks.at(-1)).pcm) > 0.4);
  assert.deepEqual([decoder.concealedMs, decoder.failures], [0, 0]);
});

test("closed while it is being made, it is freed once, when it is", async () => {
  const calls = /** @type {string[]} */ ([]);
  /** @type {() => void} */
  let finish = () => {};
  const library = page["opus-decoder"];
  page["opus-decoder"] = {
    OpusDecoder: class {
      ready = Promise.resolve();
      reset() {
        calls.push("reset");
        return new Promise((done) => (finish = () => done(undefined)));
      }
      free() {
        calls.push("free");
      }
    },
  };
  const decoder = await createDecoder(() => {}, "wasm");
  page["opus-decoder"] = library;
  decoder.reset();
  decoder.close();
  assert.deepEqual(calls, ["reset"]);
  finish();
  await made();
  assert.deepEqual(calls, ["reset", "free"]);
});

test("sound that goes back in time is no gap either", async () => {
  const { blocks, decoder } = await heard([10, 11, 5, 6]);
  assert.deepEqual(blocks.map((block) => block.mediaMs / 20), [10, 11, 5, 6]);
  assert.equal(decoder.concealedMs, 0);
});

test("what came another way meanwhile is not concealed", async () => {
  const { blocks, decoder } = await heard([0, 1, 2]);
  decoder.decode(60_000, packets[3]);
  assert.deepEqual(blocks.map(({ mediaMs }) => mediaMs), [0, 20, 40, 60_000]);
  assert.equal(decoder.concealedMs, 0);
});
