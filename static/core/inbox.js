// @ts-check
/**
 * What the server says of the session, by the socket or by the data channel, once and in media time
 * that does not wrap. No DOM.
 *
 * Events: `caption` `{text, atMs}`; `state` `{value, atMs}`; `flush` `{atMs, untilMs}`; `pong`, `transcript`,
 * `emotion`, `error` (the message).
 */
import { Dedupe } from "./dedupe.js";
import { Unwrapper } from "./protocol.js";

/** Which fields are times. A message that lacks one is skipped. @type {Map<string, string[]>} */
const TIMES = new Map([
  ["state", ["at"]],
  ["transcript", ["at"]],
  ["emotion", ["at"]],
  ["flush", ["at", "until"]],
]);

export class Inbox extends EventTarget {
  #dedupe = new Dedupe();
  #times = new Unwrapper();

  /** A wire timestamp, as it is used inside. @param {number} timestampMs */
  unwrap(timestampMs) {
    return this.#times.unwrap(timestampMs);
  }

  /** @param {{type: string, [field: string]: any}} message */
  receive(message) {
    const times = (TIMES.get(message.type) ?? []).map((name) => message[name]);
    if (!times.every(Number.isFinite) || !this.#dedupe.isNew(message)) return;
    const [atMs, untilMs] = times.map((it) => this.unwrap(it));
    switch (message.type) {
      case "state":
        return this.#emit("state", { value: message.value, atMs });
      case "transcript":
        if (message.role === "agent") this.#emit("caption", { text: message.text, atMs });
        return this.#emit("transcript", message);
      case "flush":
        return this.#emit("flush", { atMs, untilMs });
      case "pong":
      case "emotion":
      case "error":
        return this.#emit(message.type, message);
    }
  }

  /** A new socket: it tells how things stand anew. */
  greet() {
    this.#dedupe.reset();
  }

  /** Another session: another clock. */
  reset() {
    this.#times = new Unwrapper();
  }

  /** @param {string} name @param {any} detail */
  #emit(name, detail) {
    this.dispatchEvent(new CustomEvent(name, { detail }));
  }
}
