// @ts-check
/** Several listeners at once, each given the event's `detail`.
 * @param {EventTarget} part @param {Record<string, (detail: any) => void>} on */
export function listen(part, on) {
  for (const [name, act] of Object.entries(on)) {
    part.addEventListener(name, (event) => act(/** @type {CustomEvent} */ (event).detail));
  }
}
