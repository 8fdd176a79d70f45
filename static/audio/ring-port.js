// @ts-check
/** What the main thread and the ring buffer, which may be on the audio thread, tell each other. */

/** @typedef {import("./ring-buffer.js").RingBuffer} RingBuffer */

/** Do what the main thread asks of the ring. @param {RingBuffer} ring @param {any} message */
export function obey(ring, message) {
  if (message.pcm) ring.write(message.mediaMs, message.pcm);
  else if (message.flush !== undefined) ring.flush(message.flush, message.until);
  else if (message.cue !== undefined) ring.cue(message.cue, message.atMs);
  else if (message.nudge !== undefined) ring.nudge(message.nudge, message.unheard);
  else if (message.release) ring.release();
  else if (message.reset) ring.reset();
}

/** How the ring stands. @param {RingBuffer} ring */
export function report({ bufferedMs, targetMs, nudgeMs, quiet, counts }) {
  return { bufferedMs, targetMs, nudgeMs, quiet, counts };
}
