// When pictures came, for the server.
import assert from "node:assert/strict";
import { test } from "node:test";

import { Arrivals } from "../../static/net/arrivals.js";

test("some pictures are told of together", () => {
  const arrivals = new Arrivals();
  const told = [];
  for (let t = 0; t < 1000; t += 50) told.push(arrivals.add(t + 0.01, t + 92.5, t));
  const messages = told.filter((one) => one !== null);
  assert.equal(messages.length, 5);
  assert.deepEqual(messages[1], {
    type: "arrived",
    pictures: [[50, 142.5], [100, 192.5], [150, 242.5], [200, 292.5]],
  });
});

test("a browser that does not know when they came tells nothing", () => {
  const arrivals = new Arrivals();
  for (const unknown of [undefined, null, NaN, -1, Infinity]) {
    for (let t = 0; t < 1000; t += 50) assert.equal(arrivals.add(t, unknown, t), null);
  }
});

test("a message has no more than a server takes", () => {
  const arrivals = new Arrivals();
  arrivals.add(0, 0, 0);
  for (let n = 1; n < 100; n++) arrivals.add(n, n, 100);
  assert.equal(arrivals.add(100, 100, 300)?.pictures.length, 64);
});
