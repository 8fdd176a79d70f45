// @ts-check
/**
 * The wire, as protocol.md has it: the twin of wsstream/protocol/ on the server. No DOM, no clock.
 */

export const PROTOCOL = 1;
export const HEADER_BYTES = 12;

/** @enum {number} */
export const FrameType = Object.freeze({
  VIDEO: 0x01,
  AUDIO: 0x02,
  VIDEO_PATCH: 0x03,
  VIDEO_H264_KEY: 0x04,
  VIDEO_H264: 0x05,
  AUDIO_PCM: 0x06,
});

/** @type {number[]} */
const TYPES = Object.values(FrameType);

/** Whether a frame is one to be presented. @param {{type: number, payload: Uint8Array}} frame */
export const isMedia = ({ type, payload }) => TYPES.includes(type) && payload.length > 0;

/** Close codes after which a client stays away: trying again would end the same. */
export const FINAL_CLOSE_CODES = Object.freeze([4400, 4401, 4403, 4404, 4409, 4413]);

/** No such agent, or no such session. */
export const NOT_FOUND = 4404;

export class BadMessage extends Error {}

/**
 * Read one binary message. The payload is a view, not a copy.
 * @param {ArrayBuffer} data
 * @returns {{type: number, timestampMs: number, payload: Uint8Array}}
 */
export function decode(data) {
  if (data.byteLength < HEADER_BYTES) {
    throw new BadMessage(`expected a header of ${HEADER_BYTES} bytes, got ${data.byteLength} bytes`);
  }
  const view = new DataView(data);
  const length = view.getUint32(8, true);
  if (length !== data.byteLength - HEADER_BYTES) {
    throw new BadMessage(
      `length says ${length} bytes, the payload has ${data.byteLength - HEADER_BYTES}`,
    );
  }
  return {
    type: view.getUint32(0, true),
    timestampMs: view.getUint32(4, true),
    payload: new Uint8Array(data, HEADER_BYTES),
  };
}

/**
 * One binary message for the wire.
 * @param {number} type
 * @param {number} timestampMs taken modulo 2^32
 * @param {Uint8Array} payload
 * @returns {ArrayBuffer}
 */
export function encode(type, timestampMs, payload) {
  const data = new ArrayBuffer(HEADER_BYTES + payload.byteLength);
  const view = new DataView(data);
  view.setUint32(0, type, true);
  view.setUint32(4, timestampMs, true);
  view.setUint32(8, payload.byteLength, true);
  new Uint8Array(data, HEADER_BYTES).set(payload);
  return data;
}

/**
 * Read the payload of a VIDEO_PATCH.
 * @param {Uint8Array} payload
 * @returns {{x: number, y: number, width: number, height: number, jpeg: Uint8Array}[]}
 */
export function decodeRegions(payload) {
  const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
  if (view.byteLength < 4) throw new BadMessage(`expected a patch header of 4 bytes`);
  const count = view.getUint16(0, true);
  const regions = [];
  let offset = 4;
  for (let i = 0; i < count; i++) {
    if (view.byteLength - offset < 12) {
      throw new BadMessage("the patch ends inside a region's header");
    }
    const [x, y, width, height] = [0, 2, 4, 6].map((o) => view.getUint16(offset + o, true));
    const size = view.getUint32(offset + 8, true);
    offset += 12;
    if (!(width && height && size)) throw new BadMessage("a region of a patch is empty");
    if (view.byteLength - offset < size) {
      throw new BadMessage(`a region says ${size} bytes, ${view.byteLength - offset} are left`);
    }
    regions.push({ x, y, width, height, jpeg: payload.subarray(offset, offset + size) });
    offset += size;
  }
  if (offset !== view.byteLength) {
    throw new BadMessage(`${view.byteLength - offset} bytes follow the last region`);
  }
  return regions;
}

/**
 * Read a text message.
 * @param {string} text
 * @returns {{type: string, [field: string]: any}}
 */
export function parse(text) {
  let message;
  try {
    message = JSON.parse(text);
  } catch (error) {
    throw new BadMessage(`expected a JSON message: ${error}`);
  }
  if (typeof message?.type !== "string") throw new BadMessage("a message has to have a type");
  return message;
}

/**
 * The first message of a socket: what this client can do, and what it wants.
 * @param {{video: string[], pcm: boolean, webrtc: boolean, mode: string, token?: string, resume?: string}} what
 */
export function hello({ video, pcm, webrtc, mode, token, resume }) {
  const audio = [pcm ? "pcm" : "opus"];
  const client = "wsstream-js";
  return { type: "hello", protocol: PROTOCOL, video, audio, webrtc, mode, token, resume, client };
}

/** A time in an acknowledgement is no longer; a page may sleep for longer. */
const MOST_MS = 3_600_000;

/** @param {number} ms */
const bounded = (ms) => Math.max(0, Math.min(MOST_MS, ms));

/**
 * A picture was drawn, or let go.
 * @param {{mediaMs: number, heardMs: number | null, decodeMs: number, heldMs: number}} what
 */
export function ack({ mediaMs, heardMs, decodeMs, heldMs }) {
  return {
    type: "ack",
    video: toU32(mediaMs),
    audio: heardMs === null ? undefined : toU32(heardMs),
    decode_ms: bounded(decodeMs),
    buffered_ms: bounded(heldMs),
  };
}

const U32 = 2 ** 32;

/** Whether wire timestamp `a` is later than `b` (serial arithmetic, RFC 1982).
 * @param {number} a @param {number} b */
export function u32Newer(a, b) {
  const ahead = (((a - b) % U32) + U32) % U32;
  return ahead > 0 && ahead < U32 / 2;
}

/** Wire timestamps wrap at 2^32; inside the client they go on. */
export class Unwrapper {
  /** @type {number | null} */
  #last = null;

  /** The timestamp as a number that does not wrap: the one nearest to the last.
   * @param {number} timestampMs @returns {number} */
  unwrap(timestampMs) {
    if (this.#last === null) return (this.#last = timestampMs);
    const wire = ((this.#last % U32) + U32) % U32;
    let ahead = timestampMs - wire;
    if (ahead > U32 / 2) ahead -= U32;
    else if (ahead < -U32 / 2) ahead += U32;
    return (this.#last += ahead);
  }
}

/** A number as it travels. @param {number} mediaMs */
export function toU32(mediaMs) {
  return ((Math.round(mediaMs) % U32) + U32) % U32;
}
