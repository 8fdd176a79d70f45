// RTP timestamps on the media clock.
import assert from "node:assert/strict";
import { test } from "node:test";
import { RtpClock } from "../../static/core/rtp-clock.js";

const U32 = 2 ** 32;
const origins = { audio: U32 - 5, video: 1234 };
/** @param {number} mediaMs @param {"audio" | "video"} kind */
const rtp = (mediaMs, kind) => (mediaMs * (kind === "audio" ? 48 : 90) + origins[kind]) % U32;

for (const kind of /** @type {const} */ (["audio", "video"])) {
  test(`${kind}: there and back, across every wrap`, () => {
    const clock = new RtpClock(origins);
    for (const mediaMs of [0, 20, 1e6, 5e7, 9e7, 2 ** 32 + 40]) {
      for (const off of [-3000, 0, 3000]) {
        assert.equal(clock.mediaMs(kind, rtp(mediaMs, kind), mediaMs + off), mediaMs);
      }
    }
  });
}

test("between milliseconds it is exact", () => {
  const clock = new RtpClock({ audio: 0, video: 0 });
  assert.equal(clock.mediaMs("video", 45, 0), 0.5);
});
