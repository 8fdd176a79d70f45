// @ts-check
/**
 * By which way a message goes. What somebody says goes by the socket, by the data channel while the
 * socket is away or quiet, and waits while there is neither, until the socket is heard of again or
 * there is another one. All else is worth nothing later: it goes by the socket, or not at all.
 */

/** These may go either way; sent both ways they would be obeyed twice. */
const SPOKEN = ["say", "interrupt"];
const MOST = 16;
/** Of one message, in UTF-8: a server closes the connection over a larger one (protocol.md section 2). */
const MOST_BYTES = 65_536;
/** Why something cannot be said, by the code of the error. @type {Record<string, string>} */
export const REFUSALS = {
  closed: "the connection is closed for good",
  too_large: "too much to be said at once",
  too_many: "too much waits for a connection to be said on",
};

/**
 * @typedef {{isGreeted: boolean, isQuiet: boolean, send(message: object): void}} Socket
 * @typedef {{type: string, [field: string]: any}} Message
 */

export class Outbox {
  #socket;
  #channel;
  /** @type {Message[]} */
  #held = [];
  #closed = false;

  /** @param {Socket} socket @param {(message: Message) => boolean} channel whether it was open */
  constructor(socket, channel) {
    this.#socket = socket;
    this.#channel = channel;
  }

  /** Null, or why it cannot be sent: one of `REFUSALS`. @param {Message} message */
  send(message) {
    if (!SPOKEN.includes(message.type)) this.#socket.send(message);
    else if (this.#closed) return "closed";
    else if (size(message) > MOST_BYTES) return "too_large";
    else if (this.#isWell) this.#socket.send(message);
    else if (!this.#channel(message)) return this.#hold(message);
    return null;
  }

  /** There is a welcome, or the socket is heard of again. */
  release() {
    if (this.#isWell) for (const message of this.#held.splice(0)) this.#socket.send(message);
  }

  /** There will be no connection any more. */
  close() {
    this.#closed = true;
    this.#held = [];
  }

  get #isWell() {
    return this.#socket.isGreeted && !this.#socket.isQuiet;
  }

  /** @param {Message} message */
  #hold(message) {
    if (message.type === "interrupt") this.#held = []; // none of it is to be said any more
    if (this.#held.length >= MOST) return "too_many";
    this.#held.push(message);
    return null;
  }
}

/** @param {Message} message */
function size(message) {
  return new TextEncoder().encode(JSON.stringify(message)).length;
}
