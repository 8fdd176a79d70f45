// @ts-check
/** Whether the upgrade is wanted, possible, and due: by the page, its user, the agent, the past. */
import { Retry } from "../core/retry.js";

/** @typedef {"auto" | "ws" | "webrtc"} Mode */

export class Policy {
  #able;
  #retry;
  /** @type {any} */
  #offered = null;
  /** @type {Mode} */
  #wanted = "auto";
  #ready = false;
  #lastFailure = "";

  /** @param {boolean} able whether the page has WebRTC at all @param {() => number} random */
  constructor(able, random) {
    this.#able = able;
    this.#retry = new Retry(random);
  }

  /** What the page or its user wants. */
  get wanted() {
    return this.#wanted;
  }

  set wanted(mode) {
    this.#wanted = mode;
    this.reset();
    this.#retry.eager = this.pin === "webrtc";
  }

  /** What holds: who uses the page comes before the agent. @returns {Mode} */
  get pin() {
    return this.#wanted === "auto" ? (this.#offered?.mode ?? "auto") : this.#wanted;
  }

  /** What a welcome says of WebRTC. @param {any} offered */
  set offered(offered) {
    this.#offered = offered;
    this.#retry.eager = this.pin === "webrtc";
  }

  /** As a peer takes them. */
  get ice() {
    return { iceServers: this.#offered?.ice_servers ?? [], policy: this.#offered?.policy ?? "all" };
  }

  /** Whether there are any among them that expire. */
  get hasPasswords() {
    return this.ice.iceServers.some((/** @type {RTCIceServer} */ { credential }) => credential);
  }

  /** A picture was drawn and sound can be heard: nothing is risked by trying. */
  ready() {
    this.#ready = true;
  }

  /** Another network, or another wish: the past is no guide. */
  reset() {
    this.#retry.reset();
  }

  /** @param {number} nowMs */
  allows(nowMs) {
    const possible = this.#able && this.#ready && this.#offered?.enabled;
    return possible && this.pin !== "ws" && this.#retry.allows(nowMs);
  }

  /** @param {"connect" | "transit"} kind @param {string} reason @param {number} nowMs
   * @param {boolean} signalling whether the socket stands */
  failed(kind, reason, nowMs, signalling) {
    this.#retry.failed(kind, nowMs, signalling);
    this.#lastFailure = reason;
  }

  succeeded() {
    this.#retry.succeeded();
    this.#lastFailure = "";
  }

  /** What there is to say about it. @param {number} nowMs */
  describe(nowMs) {
    return {
      pin: this.pin,
      able: this.#able,
      enabled: Boolean(this.#offered?.enabled),
      refusal: this.#offered?.reason ?? "",
      lastFailure: this.#lastFailure,
      waitMs: this.#retry.waitMs(nowMs),
    };
  }
}
