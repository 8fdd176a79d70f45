// When the upgrade is tried again.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Retry } from "../../static/core/retry.js";

const even = () => new Retry(() => 0.5);

test("at first it may be tried at once", () => {
  assert(even().allows(0));
});

test("the waits grow from seconds to minutes", () => {
  const retry = even();
  const waits = [];
  for (let n = 0; n < 7; n++) {
    retry.failed("connect", 0);
    waits.push(retry.waitMs(0) / 1000);
  }
  assert.deepEqual(waits, [2, 8, 30, 120, 300, 300, 300]);
});

test("chance moves a wait by up to a fifth", () => {
  for (const [random, waitMs] of [
    [0, 1600],
    [1, 2400],
  ]) {
    const retry = new Retry(() => random);
    retry.failed("connect", 1000);
    assert.equal(Math.round(retry.waitMs(1000)), waitMs);
    assert(!retry.allows(1000 + waitMs - 1));
    assert(retry.allows(1000 + waitMs + 1));
  }
});

test("once it went well the next failure is a first one", () => {
  const retry = even();
  for (let n = 0; n < 4; n++) retry.failed("connect", 0);
  retry.succeeded();
  retry.failed("transit", 200_000);
  assert.equal(retry.waitMs(200_000), 2000);
});

test("what broke twice within a short while is benched for a minute at least", () => {
  const retry = even();
  retry.failed("transit", 0);
  retry.succeeded();
  retry.failed("transit", 89_000);
  assert.equal(retry.waitMs(89_000), 60_000);
  retry.succeeded();
  retry.failed("transit", 300_000);
  assert.equal(retry.waitMs(300_000), 2000);
});

test("a failed connect says nothing of how long it would have lasted", () => {
  const retry = even();
  retry.failed("transit", 0);
  retry.failed("connect", 10_000);
  assert.equal(retry.waitMs(10_000), 8000);
});

test("when the socket is gone as well nothing is counted", () => {
  const retry = even();
  retry.failed("transit", 0, false);
  assert.deepEqual([retry.failures, retry.allows(0)], [0, true]);
});

test("another network makes it all new", () => {
  const retry = even();
  for (let n = 0; n < 5; n++) retry.failed("transit", n);
  retry.reset();
  assert(retry.allows(10));
  retry.failed("transit", 20);
  assert.equal(retry.waitMs(20), 2000);
});

test("who insists waits less, and is not benched", () => {
  const retry = even();
  retry.eager = true;
  const waits = [];
  for (let n = 0; n < 5; n++) {
    retry.failed("transit", 0);
    waits.push(retry.waitMs(0) / 1000);
  }
  assert.deepEqual(waits, [1, 2, 5, 10, 10]);
});
