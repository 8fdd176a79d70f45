// Which media time is presented: what is heard, else what comes quickest.
import assert from "node:assert/strict";
import { test } from "node:test";
import { Sync } from "../../static/core/sync.js";

test("before anything has come there is no time", () => {
  assert.equal(new Sync().mediaMs(1000), null);
  assert.equal(new Sync().soundLeads(1000), false);
});

test("without sound, time follows the quickest arrivals", () => {
  const sync = new Sync();
  for (let n = 0; n < 50; n++) sync.arrived(n * 40, 1000 + n * 40 + (n % 5) * 30);
  assert.equal(sync.mediaMs(3000), 2000);
});

test("one quick arrival long ago is no measure for ever", () => {
  const sync = new Sync();
  sync.arrived(0, 1000); // 1000 behind
  for (let at = 1040; at <= 13_000; at += 40) sync.arrived(at - 1200, at);
  assert.equal(sync.mediaMs(13_000), 13_000 - 1200);
});

test("within the window the quickest counts, however many slow ones come after it", () => {
  const sync = new Sync();
  sync.arrived(0, 1000);
  for (let at = 1040; at <= 9000; at += 40) sync.arrived(at - 1200, at);
  assert.equal(sync.mediaMs(9000), 8000);
});

test("a quicker arrival moves time forward at once", () => {
  const sync = new Sync();
  sync.arrived(0, 1000);
  sync.arrived(60, 1040);
  assert.equal(sync.mediaMs(1040), 60);
});

test("while sound plays, time is what is heard", () => {
  const sync = new Sync();
  sync.arrived(500, 1000);
  sync.heard(400, 1000);
  assert(sync.soundLeads(1000));
  assert.equal(sync.mediaMs(1010), 410);
  sync.heard(435, 1030);
  assert.equal(sync.mediaMs(1050), 455);
});

test("a report may be of a time still to come", () => {
  const sync = new Sync();
  sync.heard(400, 1050);
  assert.equal(sync.mediaMs(1000), 350);
});

test("a report is believed for half a second", () => {
  const sync = new Sync();
  sync.arrived(500, 1000);
  sync.heard(400, 1000);
  assert.equal(sync.mediaMs(1499), 899);
  assert.equal(sync.mediaMs(1500), 1000);
  assert(!sync.soundLeads(1500));
});

test("when sound stops, time follows arrivals again", () => {
  const sync = new Sync();
  sync.arrived(500, 1000);
  sync.heard(400, 1000);
  sync.heard(null, 1020);
  assert(!sync.soundLeads(1020));
  assert.equal(sync.mediaMs(1020), 520);
});

test("a new session has a new clock", () => {
  const sync = new Sync();
  sync.arrived(500_000, 1000);
  sync.heard(500_000, 1000);
  sync.reset();
  assert.equal(sync.mediaMs(1000), null);
  sync.arrived(0, 2000);
  assert.equal(sync.mediaMs(2000), 0);
});

test("it holds no more than it needs", () => {
  const sync = new Sync();
  const began = process.memoryUsage().heapUsed;
  for (let n = 0; n < 200_000; n++) sync.arrived(n * 20 - (n % 7), 1000 + n * 20);
  assert.equal(sync.mediaMs(1000 + 200_000 * 20), 200_000 * 20);
  assert(process.memoryUsage().heapUsed - began < 50e6);
});

test("it is known for how long sound has set the time without a break", () => {
  const sync = new Sync();
  assert.equal(sync.soundLedMs(1000), 0);
  for (let at = 1000; at <= 2000; at += 20) sync.heard(at, at);
  assert.equal(sync.soundLedMs(2000), 1000);
  sync.heard(null, 2010);
  assert.equal(sync.soundLedMs(2010), 0);
  sync.heard(2020, 2020);
  sync.heard(3000, 3000); // long after the last one
  assert.equal(sync.soundLedMs(3100), 100);
});
