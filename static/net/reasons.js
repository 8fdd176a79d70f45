// @ts-check
/** Why media come the way they do, in words for people. Pure. */

/**
 * @param {{
 *   state: import("../core/states.js").State, changing: boolean, pathReason: string,
 *   pin: "auto" | "ws" | "webrtc", able: boolean, enabled: boolean, refusal: string,
 *   lastFailure: string, waitMs: number,
 * }} how `able` is whether the page has WebRTC at all, `enabled` whether the server offers it, and
 *   `refusal` why it does not
 * @returns {string}
 */
export function describe(how) {
  const { state, pin, lastFailure } = how;
  if (state === "probing") return how.changing ? "WebRTC works, switching over" : "trying WebRTC";
  if (state === "webrtc") {
    return pin === "webrtc" ? "pinned to WebRTC" : "switched: cheaper and steadier";
  }
  if (state === "hedge" && pin === "ws") return "going back to the WebSocket, as asked";
  if (state === "hedge" || state === "orphan") return how.pathReason;
  if (pin === "ws") return "pinned to WebSocket";
  if (!how.able) return "WebRTC is off in this page";
  if (!how.enabled) return how.refusal || "the server offers no WebRTC";
  const waitS = Math.ceil(how.waitMs / 1000);
  if (lastFailure) return `${lastFailure}; ${waitS ? `next try in ${waitS} s` : "trying again"}`;
  return pin === "webrtc" ? "pinned to WebRTC, which is about to be tried" : "starting";
}

/**
 * Why an attempt came to nothing.
 * @param {{answered: boolean, connected: boolean, rendered: number}} got how far it came
 */
export function whyNot({ answered, connected, rendered }) {
  if (!answered) return "the server did not answer the offer";
  if (!connected) return "UDP looks blocked";
  return rendered ? "WebRTC brought no sound" : "WebRTC brought no picture";
}
