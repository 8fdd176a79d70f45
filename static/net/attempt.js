// @ts-check
/** One try to come to WebRTC: a peer, its half of the signalling, and how far it has come. */
import { whyNot } from "./reasons.js";

/** A proof takes one round trip for the answer, one for ICE, two for DTLS, and media. */
const PROOF_RTTS = 8;
const [PROOF_MIN_MS, PROOF_MAX_MS] = [4_000, 10_000];

/**
 * @typedef {{
 *   send(message: object): void, message(message: any): void, failed(reason: string): void,
 * }} Told what becomes of it: a message for the socket, one of the data channel, the end
 */

export class Attempt {
  #startedMs;
  #told;
  #answered = false;
  #connected = false;
  #over = false;

  /** @param {any} peer @param {number} nowMs @param {Told} told */
  constructor(peer, nowMs, told) {
    this.peer = peer;
    this.#told = told;
    this.#startedMs = nowMs;
    const pass = (/** @type {string} */ name, /** @type {(detail: any) => void} */ to) =>
      peer.addEventListener(name, (/** @type {CustomEvent} */ { detail }) => {
        if (!this.#over) to(detail);
      });
    pass("signal", told.send);
    pass("message", told.message);
  }

  start() {
    this.#expect(this.peer.offer(), "no offer could be made");
  }

  /** An `answer`, a `candidate` or an `rtp` for it. @param {any} message */
  handle(message) {
    if (message.type === "candidate") this.peer.candidate(message);
    else if (message.type === "rtp") this.peer.origins = message;
    else {
      this.#answered = true;
      this.#expect(this.peer.answer(message.sdp), "the answer could not be used");
    }
  }

  /** @param {number} nowMs */
  look(nowMs) {
    this.peer.look(nowMs);
    this.#connected ||= this.peer.state === "connected";
  }

  /** Whether the connection is gone for good. */
  get isBroken() {
    return this.peer.state === "failed" || this.peer.state === "closed";
  }

  /** Whether it should have shown something by now. @param {number} nowMs @param {number} rttMs */
  isLate(nowMs, rttMs) {
    const proofMs = Math.max(PROOF_MIN_MS, Math.min(PROOF_MAX_MS, PROOF_RTTS * (rttMs || 0)));
    return nowMs - this.#startedMs > proofMs;
  }

  /** Why it came to nothing. @param {number} rendered pictures */
  whyNot(rendered) {
    return whyNot({ answered: this.#answered, connected: this.#connected, rendered });
  }

  close() {
    this.#over = true;
    this.peer.close();
  }

  /** @param {Promise<void>} step @param {string} otherwise */
  #expect(step, otherwise) {
    step.catch((/** @type {Error} */ error) => {
      if (!this.#over) this.#told.failed(`${otherwise}: ${error.message}`);
    });
  }
}
