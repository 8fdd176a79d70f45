// The wire as the browser reads and writes it, against the golden bytes the server's tests read too.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import {
  ack,
  BadMessage,
  decode,
  decodeRegions,
  encode,
  FINAL_CLOSE_CODES,
  FrameType,
  HEADER_BYTES,
  isMedia,
  parse,
  toU32,
  u32Newer,
  Unwrapper,
} from "../../static/core/protocol.js";

const U32 = 2 ** 32;

/** @param {string} name */
const vectors = (name) =>
  JSON.parse(readFileSync(new URL(`../vectors/${name}.json`, import.meta.url), "utf8"));
/** @param {string} hex */
const bytes = (hex) => Uint8Array.from(Buffer.from(hex, "hex"));
/** @param {ArrayBuffer | Uint8Array} data */
const hexOf = (data) => Buffer.from(/** @type {Uint8Array} */ (data)).toString("hex");

for (const vector of vectors("frames")) {
  test(`a golden frame is read: ${vector.name}`, () => {
    const frame = decode(bytes(vector.hex).buffer);
    assert.equal(frame.type, vector.type);
    assert.equal(frame.timestampMs, vector.timestamp_ms);
    assert.equal(hexOf(frame.payload), vector.payload_hex);
  });

  test(`a golden frame is written: ${vector.name}`, () => {
    assert.equal(hexOf(encode(vector.type, vector.media_ms, bytes(vector.payload_hex))), vector.hex);
  });

  if (vector.regions) {
    test(`golden regions are read: ${vector.name}`, () => {
      const { payload } = decode(bytes(vector.hex).buffer);
      const regions = decodeRegions(payload).map(({ jpeg, ...place }) => ({
        ...place,
        jpeg_hex: hexOf(jpeg),
      }));
      assert.deepEqual(regions, vector.regions);
    });
  }
}

for (const vector of vectors("bad_frames")) {
  test(`a bad frame is refused, saying what was expected: ${vector.name}`, () => {
    const data = bytes(vector.hex);
    const read = () => (vector.reader === "frame" ? decode(data.buffer) : decodeRegions(data));
    assert.throws(read, (error) => {
      assert(error instanceof BadMessage);
      assert(error.message.includes(vector.error), error.message);
      return true;
    });
  });
}

test("a payload is a view of the message, not a copy", () => {
  const data = encode(FrameType.VIDEO, 0, Uint8Array.of(1, 2, 3));
  const { payload } = decode(data);
  assert.equal(payload.buffer, data);
  assert.equal(payload.byteOffset, HEADER_BYTES);
});

test("a region's JPEG is a view of its payload, wherever that lies", () => {
  const vector = vectors("frames").find((/** @type {any} */ v) => v.regions?.length);
  const inside = new Uint8Array(200);
  inside.set(bytes(vector.payload_hex), 100);
  const [first] = decodeRegions(inside.subarray(100, 100 + vector.payload_hex.length / 2));
  assert.equal(first.jpeg.buffer, inside.buffer);
  assert.equal(hexOf(first.jpeg), vector.regions[0].jpeg_hex);
});

const messages = vectors("messages");

for (const vector of messages.good) {
  test(`a golden message is read and written: ${vector.name}`, () => {
    assert.equal(JSON.stringify(parse(vector.text)), vector.text);
  });
}

for (const vector of messages.unknown) {
  test(`an unknown type is a message all the same: ${vector.name}`, () => {
    assert.equal(typeof parse(vector.text).type, "string");
  });
}

for (const vector of messages.bad.filter((/** @type {any} */ v) => v.malformed)) {
  test(`what is no message is refused: ${vector.name}`, () => {
    assert.throws(() => parse(vector.text), BadMessage);
  });
}

test("a client stays away after what would end the same", () => {
  assert.deepEqual([...FINAL_CLOSE_CODES], [4400, 4401, 4403, 4404, 4409, 4413]);
  assert(![1000, 1006, 4429, 4503].some((code) => FINAL_CLOSE_CODES.includes(code)));
});

test("newer is ahead by less than half the circle", () => {
  assert(u32Newer(1, 0));
  assert(!u32Newer(0, 1));
  assert(!u32Newer(5, 5));
  assert(u32Newer(0, U32 - 1));
  assert(!u32Newer(U32 - 1, 0));
  assert(u32Newer(U32 / 2 - 1, 0));
  assert(!u32Newer(U32 / 2, 0));
});

test("a number as it travels", () => {
  assert.equal(toU32(1.4), 1);
  assert.equal(toU32(U32 + 7), 7);
  assert.equal(toU32(-1), U32 - 1);
  assert.equal(toU32(U32 - 0.4), 0);
});

test("unwrapped timestamps go on across the wrap, and back", () => {
  const unwrapper = new Unwrapper();
  const wire = [U32 - 40, U32 - 20, 0, 20, U32 - 20, 40];
  assert.deepEqual(
    wire.map((ms) => unwrapper.unwrap(ms)),
    [U32 - 40, U32 - 20, U32, U32 + 20, U32 - 20, U32 + 40],
  );
});

test("unwrapped timestamps go on across many wraps", () => {
  const unwrapper = new Unwrapper();
  const step = U32 / 3;
  for (let n = 0; n < 30; n++) {
    const ms = Math.round(n * step);
    assert.equal(unwrapper.unwrap(ms % U32), ms);
  }
});

test("the first timestamp is taken as it is", () => {
  assert.equal(new Unwrapper().unwrap(4_000_000_000), 4_000_000_000);
});

test("unwrapped timestamps may go below zero and come back", () => {
  const unwrapper = new Unwrapper();
  assert.deepEqual([10, U32 - 10, 20].map((ms) => unwrapper.unwrap(ms)), [10, -10, 20]);
});

test("an acknowledgement is within what the server takes, however long a page slept", () => {
  const slept = ack({ mediaMs: U32 + 40, heardMs: 39.6, decodeMs: -0.1, heldMs: 4 * 3_600_000 });
  assert.deepEqual(slept, {
    type: "ack",
    video: 40,
    audio: 40,
    decode_ms: 0,
    buffered_ms: 3_600_000,
  });
  assert.equal(ack({ mediaMs: 0, heardMs: null, decodeMs: 2.5, heldMs: 1 }).audio, undefined);
});

test("what is of no known type, or empty, is no media", () => {
  const payload = Uint8Array.of(1);
  for (const type of Object.values(FrameType)) {
    assert(isMedia({ type, payload }));
    assert(!isMedia({ type, payload: new Uint8Array() }));
  }
  for (const type of [0, 7, 2 ** 32 - 1]) assert(!isMedia({ type, payload }));
});
