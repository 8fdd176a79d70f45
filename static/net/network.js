// @ts-check
/** Tells of another network, or of the same one back. */

/** @param {() => void} act @returns {() => void} to stop */
export function watchNetwork(act) {
  const connection = /** @type {EventTarget | undefined} */ (
    /** @type {any} */ (navigator).connection
  );
  addEventListener("online", act);
  connection?.addEventListener("change", act);
  return () => {
    removeEventListener("online", act);
    connection?.removeEventListener("change", act);
  };
}
