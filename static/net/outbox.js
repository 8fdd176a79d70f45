// @ts-check
/**
 * By which way a message goes. What somebody says goes by the socket, by the data channel while the
 * socket is away or quiet, and waits for a welcome while there is neither. All else is worth nothing
 * later: it goes by the socket, or not at all.
 */

/** These may go either way; sent both ways they would be obeyed twice. */
const SPOKEN = ["say", "interrupt"];
const MOST = 16;

/**
 * @typedef {{isGreeted: boolean, isQuiet: boolean, send(message: object): void}} Socket
 * @typedef {{type: string, [field: string]: any}} Message
 */

export class Outbox {
  #socket;
  #channel;
  /** @type {Message[]} */
  #held = [];

  /** @param {Socket} socket @param {(message: Message) => boolean} channel whether it was open */
  constructor(socket, channel) {
    this.#socket = socket;
    this.#channel = channel;
  }

  /** Whether there was a way, or room to wait. @param {Message} message */
  send(message) {
    const { isGreeted, isQuiet } = this.#socket;
    const spoken = SPOKEN.includes(message.type);
    if (spoken && (isQuiet || !isGreeted) && this.#channel(message)) return true;
    if (spoken && !isGreeted) return this.#hold(message);
    this.#socket.send(message);
    return true;
  }

  /** There is a welcome. */
  release() {
    for (const message of this.#held.splice(0)) this.#socket.send(message);
  }

  /** @param {Message} message */
  #hold(message) {
    if (message.type === "interrupt") this.#held = []; // none of it is to be said any more
    return this.#held.length < MOST && this.#held.push(message) > 0;
  }
}
