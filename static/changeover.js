// @ts-check
/**
 * From one transport's picture and sound to the other's, so that nobody notices: the sound is
 * brought to one place and crossfaded, the picture is swapped on a rendered one. Exactly one source
 * is audible at any time.
 */

import { COMPARABLE_MS, COMPARED_MS, MOST_HELD_MS } from "./audio/mixer.js";
import { LipSync } from "./core/lip-sync.js";

/** @typedef {import("./core/states.js").Transport} Transport */
/**
 * @typedef {{
 *   mixer: {audible: Transport, settled: boolean, heldMs: number, keep(): void, letGo(): void,
 *     apartMs(nearMs: number, mostMs: number): number, fade(to: Transport): void,
 *     hush(ms: number): void,
 *     attach(stream: MediaStream): void, detach(): void},
 *   locked: boolean, delayMs: number,
 *   park(): void, unpark(cue: {mediaMs: number, atMs: number} | null): void,
 *   nudge(ms: number, unheard?: boolean): void, release(): void,
 *   stats(): {bufferedMs: number, targetMs: number, nudgeMs: number, quiet: boolean},
 * }} Output what AudioOutput does for it
 * @typedef {{
 *   top: Transport, settled: boolean, rendered: number, lagMs: number,
 *   attach(stream: MediaStream, timeOf: (rtp: number) => number | null): void, detach(): void,
 *   want(to: Transport, nowMs: number): void, yield(): void, tick(nowMs: number, visible: boolean): void,
 * }} View what Screen does for it
 * @typedef {{
 *   stream: MediaStream, hasClock: boolean,
 *   pictureDelayMs: number, soundDelayMs: number,
 *   pictureMs(rtp: number, nearMs: number): number | null,
 *   soundPlace(nearMs: number): {mediaMs: number, atMs: number} | null,
 * }} Source what a Peer does for it
 * @typedef {{
 *   mediaMs(nowMs: number): number | null, soundLeads(nowMs: number): boolean,
 *   heard(mediaMs: number | null, atMs: number): void,
 * }} Clock what Sync does for it
 */

/** From the jitter buffer into the graph: the browser's own queue. Measured. */
const INTO_GRAPH_MS = 26;
/** The jitter buffer's target is so much less than the ring's, since more lies behind it. */
const LESS_THAN_RING_MS = 20;
/** A browser begins with a target of its own, 80 ms, of which it keeps three quarters at least. With
 * no less asked for it has no reason to stretch the sound, nor to shorten it again a second later. */
const [LEAST_JITTER_MS, MOST_JITTER_MS] = [60, 140];
const ALIGNED_MS = 5;
const ALIGN_MS = 5000;
/** Origins that have not come by now are not coming. */
const CLOCK_WAIT_MS = 500;
/** So many in a row, one each tick, that differ by no more, and it is worth aiming at. */
const SAMPLES = 5;
const STEADY_MS = 8;
const QUIET_SAMPLES = 3;
/** After so many, one each tick, all that is compared by ear has been played since. */
const HEARD_SAMPLES = 3;
/** Once it was brought to its place, it is not further from it than the browser moved it since. */
const MATCHED_MS = 20;
/** On the way back it is not waited for longer. */
const RETURN_MS = 1000;
/** Two in a row that differ by no more, and what is heard has one place. */
const HEARD_STEADY_MS = 0.5;
/** A fade between the same sound so far apart takes less than 2 dB from 2 kHz. */
const HEARD_ALIGNED_MS = 0.1;
/** What the ring has to keep while it is made to hurry. */
const KEEP_MS = 25;
/** A nudge is told to the audio thread, and its effect back, in less. */
const ROUND_TRIP_MS = 60;
/** More than a picture. */
const LATE_PICTURES_MS = 50;

export class Changeover {
  #output;
  #screen;
  #sync;
  /** @type {Source | null} */
  #peer = null;
  /** @type {"still" | "aligning" | "crossing" | "waiting"} */
  #phase = "still";
  /** @type {Transport} */
  #goal = "ws";
  #sinceMs = 0;
  #nudgedUntilMs = 0;
  #alignMs = ALIGN_MS;
  /** @type {number[]} */
  #samples = [];
  #heardApartMs = NaN;
  /** Whether they were compared by ear: from then on, the nearest of a tone's periods is meant. */
  #matched = false;
  #ringPlays = false;
  #playsSinceMs = 0;
  /** Whether there is time to go back in step. */
  #gently = false;
  #lips = new LipSync(0);
  /** How far the two sounds were apart at the last crossing, where it is known. */
  apartMs = NaN;

  /** @param {Output} output @param {View} screen @param {Clock} sync */
  constructor(output, screen, sync) {
    this.#output = output;
    this.#screen = screen;
    this.#sync = sync;
  }

  /** Whose picture and sound are presented; during a change, still the old one's. */
  get presents() {
    if (this.#phase === "still") return this.#goal;
    return this.#goal === "ws" ? "webrtc" : "ws";
  }

  get goal() {
    return this.#goal;
  }

  /** Whether a change is under way. */
  get changing() {
    return this.#phase !== "still";
  }

  /** How many pictures of the peer were rendered. */
  get rendered() {
    return this.#screen.rendered;
  }

  /** Have a peer's media ready, unseen and unheard. @param {Source} peer */
  attach(peer) {
    this.#peer = peer;
    const jitterMs = (this.#output.stats().targetMs || 0) - LESS_THAN_RING_MS;
    peer.soundDelayMs = Math.max(LEAST_JITTER_MS, Math.min(MOST_JITTER_MS, jitterMs));
    const delayMs = peer.soundDelayMs + INTO_GRAPH_MS + this.#output.delayMs;
    this.#lips = new LipSync(delayMs, performance.now());
    peer.pictureDelayMs = delayMs;
    this.#screen.attach(peer.stream, (rtp) => peer.pictureMs(rtp, this.#nearMs));
    this.#output.mixer.attach(peer.stream);
  }

  /** The peer is gone: whatever the WebSocket has is presented. */
  detach() {
    if (!this.#peer) return;
    this.down(performance.now(), false);
    this.#screen.detach();
    this.#output.mixer.detach();
    this.#peer = null;
  }

  /** How much older than the socket's pictures the peer's were, when both were last there. */
  get lagMs() {
    return this.#screen.lagMs;
  }

  /** Begin to present the peer. @param {number} nowMs @param {boolean} [gently] with the two
   * sounds brought to one place before @param {number} [withinMs] which may take no longer */
  up(nowMs, gently = true, withinMs = Infinity) {
    if (this.#goal === "webrtc") return;
    this.#goal = "webrtc";
    this.#sinceMs = nowMs;
    this.#samples = [];
    this.#matched = false;
    this.#nudgedUntilMs = 0;
    this.apartMs = NaN;
    this.#phase = "aligning";
    this.#alignMs = Math.min(ALIGN_MS, withinMs);
    this.#output.nudge(0); // from now on it keeps its place
    if (!gently || this.#output.mixer.audible === "webrtc") this.#cross(nowMs);
  }

  /** Begin to present the WebSocket. @param {number} nowMs
   * @param {boolean} alive whether the peer is still good, so that there is time to do it well */
  down(nowMs, alive) {
    const begun = this.#goal === "ws";
    if (begun && (alive || this.#phase !== "waiting")) return;
    this.#goal = "ws";
    this.#gently = alive;
    this.#sinceMs = nowMs;
    this.#playsSinceMs = this.#nudgedUntilMs = 0;
    this.#heardApartMs = NaN;
    if (this.#output.mixer.audible === "ws" && this.#screen.top === "ws") {
      // Nothing has been crossed yet.
      this.#screen.want("ws", nowMs);
      this.#output.release();
      this.#phase = "still";
      return;
    }
    this.#phase = "waiting";
    this.#output.mixer.keep();
    if (!begun) {
      this.#ringPlays = false;
      this.#output.unpark(alive ? this.#place() : null);
    }
    this.#screen.want("ws", nowMs);
    if (!alive) {
      this.#screen.yield();
      this.#output.mixer.fade("ws");
      this.#sync.heard(null, 0);
    }
  }

  /** A picture of the peer was rendered. @param {number | null} mediaMs @param {number} nowMs */
  saw(mediaMs, nowMs) {
    const place = this.#place();
    if (!this.#peer || !place || mediaMs === null || this.#output.locked) return;
    const delayMs = this.#lips.saw(place.mediaMs + nowMs - place.atMs - mediaMs, nowMs);
    if (delayMs !== null) this.#peer.pictureDelayMs = delayMs;
  }

  /** The ring has said what is heard of it. @param {number | null} mediaMs @param {number} atMs */
  report(mediaMs, atMs) {
    this.#ringPlays = mediaMs !== null;
    if (this.#output.mixer.audible === "ws") this.#sync.heard(mediaMs, atMs);
  }

  /** An interruption: what the peer sent before is under way in the browser's jitter buffer, where it
   * cannot be dropped. It passes unheard. @param {number} untilMs media time from which all is new
   * @param {number} nowMs */
  hush(untilMs, nowMs) {
    const place = this.#place();
    if (!place) return;
    const { mixer, delayMs } = this.#output;
    mixer.hush(untilMs - place.mediaMs - (nowMs - place.atMs) - delayMs);
  }

  /** @param {number} nowMs @param {boolean} visible whether the page is */
  tick(nowMs, visible) {
    const { mixer } = this.#output;
    if (mixer.audible === "webrtc") {
      const place = this.#place();
      if (place) this.#sync.heard(place.mediaMs, place.atMs);
    }
    this.#screen.tick(nowMs, visible);
    if (this.#phase === "aligning" && this.#isAligned(nowMs)) this.#cross(nowMs);
    if (this.#phase === "waiting" && this.#mayReturn(nowMs)) mixer.fade("ws");
    if (this.#phase === "crossing" || this.#phase === "waiting") this.#settle(visible);
  }

  /** @param {number} nowMs */
  #cross(nowMs) {
    this.#phase = "crossing";
    this.#output.mixer.fade("webrtc");
    this.#screen.want("webrtc", nowMs);
  }

  /** @param {boolean} visible */
  #settle(visible) {
    const { mixer } = this.#output;
    const seen = this.#screen.top === this.#goal || !visible;
    if (!seen || mixer.audible !== this.#goal || !mixer.settled) return;
    this.#phase = "still";
    if (this.#goal === "webrtc") {
      this.#output.park();
      mixer.letGo();
    } else this.#output.release();
  }

  /** Whether the ring can be heard: it plays, and in step with the peer, where there is time for
   * that. @param {number} nowMs */
  #mayReturn(nowMs) {
    if (this.#output.locked) return true;
    if (!this.#ringPlays) {
      this.#playsSinceMs = 0;
      return false;
    }
    if (!this.#gently) return true;
    this.#playsSinceMs ||= nowMs;
    const playedMs = nowMs - this.#playsSinceMs;
    if (playedMs > RETURN_MS) return true;
    if (playedMs < COMPARED_MS || nowMs < this.#nudgedUntilMs) return false;
    if (this.#output.stats().nudgeMs !== 0) return false;
    const before = this.#heardApartMs;
    const apartMs = (this.#heardApartMs = this.#output.mixer.apartMs(0, MATCHED_MS));
    if (!(Math.abs(apartMs) > HEARD_ALIGNED_MS)) return true;
    if (!(Math.abs(apartMs - before) < HEARD_STEADY_MS)) return false;
    this.#output.nudge(apartMs, true);
    this.#heardApartMs = NaN;
    // All that is compared then has been played since: the browser may have moved meanwhile.
    this.#nudgedUntilMs = nowMs + ROUND_TRIP_MS + COMPARED_MS;
    return false;
  }

  /** Bring the two sounds to one place: the peer's, which nobody hears yet, is held; where it would
   * have to be hurried, the ring waits for it. Whether it is there, or as good as it gets.
   * @param {number} nowMs */
  #isAligned(nowMs) {
    const waitedMs = nowMs - this.#sinceMs;
    if (waitedMs > this.#alignMs) return true;
    if (!this.#peer?.hasClock) return waitedMs > CLOCK_WAIT_MS;
    if (this.#output.locked || !this.#sync.soundLeads(nowMs)) return waitedMs > CLOCK_WAIT_MS;
    const place = this.#place();
    const { bufferedMs, nudgeMs: left, quiet } = this.#output.stats();
    if (!place || nowMs < this.#nudgedUntilMs) return false;
    if (left !== 0) return false;
    const ringMs = /** @type {number} */ (this.#sync.mediaMs(nowMs));
    this.#samples.push(place.mediaMs + nowMs - place.atMs - ringMs);
    const found = this.#compare(quiet);
    if (!found) return false;
    this.apartMs = found.apartMs;
    const moveMs = Math.abs(found.apartMs) < found.enoughMs ? 0 : this.#hold(found.apartMs, nowMs);
    const nudgeMs = Math.min(found.apartMs - moveMs, Math.max(0, bufferedMs - KEEP_MS));
    if (Math.abs(moveMs) + Math.abs(nudgeMs) < found.enoughMs) {
      return !(this.#screen.lagMs > LATE_PICTURES_MS);
    }
    if (Math.abs(nudgeMs) >= found.enoughMs) this.#output.nudge(nudgeMs);
    this.#samples = [];
    this.#nudgedUntilMs = nowMs + ROUND_TRIP_MS;
    return false;
  }

  /** Hold the peer's sound so much longer, or less long, where it can be, and its pictures with it.
   * Gives by how much. @param {number} ms @param {number} nowMs */
  #hold(ms, nowMs) {
    const { mixer } = this.#output;
    const heldMs = mixer.heldMs;
    const moveMs = Math.max(0, Math.min(MOST_HELD_MS, heldMs + ms)) - heldMs;
    mixer.heldMs += moveMs;
    if (this.#peer) this.#peer.pictureDelayMs = this.#lips.shift(moveMs, nowMs);
    return moveMs;
  }

  /** How far the peer's sound is ahead of the ring's, and how little is near enough: by what they
   * sound like, else by their clocks. Null while it is not known. @param {boolean} quiet */
  #compare(quiet) {
    const count = quiet ? QUIET_SAMPLES : SAMPLES;
    const sorted = this.#samples.slice(-count).sort((a, b) => a - b);
    const clockMs = sorted[sorted.length >> 1];
    const before = this.#heardApartMs;
    const settled = this.#samples.length > HEARD_SAMPLES;
    const heard = (this.#heardApartMs = settled ? this.#listen(clockMs) : NaN);
    if (!Number.isNaN(heard)) {
      if (!(Math.abs(heard - before) < HEARD_STEADY_MS)) return null;
      this.#matched = true;
      return { apartMs: heard, enoughMs: HEARD_ALIGNED_MS };
    }
    // What the clocks say then would undo what was heard.
    if (this.#matched) return quiet ? { apartMs: 0, enoughMs: ALIGNED_MS } : null;
    if (this.#samples.length < count) return null;
    // The browser fills its jitter buffer for about a second, by playing slower. In silence, where
    // nobody hears how the ring is moved, it may be followed.
    if (!quiet && sorted[count - 1] - sorted[0] > STEADY_MS) return null;
    return { apartMs: clockMs, enoughMs: ALIGNED_MS };
  }

  /** How far the two are apart by what they sound like. @param {number} clockMs by their clocks */
  #listen(clockMs) {
    const { mixer } = this.#output;
    if (this.#matched) return mixer.apartMs(0, MATCHED_MS);
    return Math.abs(clockMs) < COMPARABLE_MS ? mixer.apartMs(clockMs, COMPARABLE_MS) : NaN;
  }

  /** What of the peer's sound is heard when. */
  #place() {
    const place = this.#peer?.soundPlace(this.#nearMs);
    if (!place) return null;
    const { mixer, delayMs } = this.#output;
    return { mediaMs: place.mediaMs, atMs: place.atMs + INTO_GRAPH_MS + mixer.heldMs + delayMs };
  }

  get #nearMs() {
    return this.#sync.mediaMs(performance.now()) ?? 0;
  }
}
