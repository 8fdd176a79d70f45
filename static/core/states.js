// @ts-check
/**
 * Which path carries a viewer's media: the twin of wsstream/protocol/states.py, one table on both
 * ends (protocol.md section 6). Pure: time is an argument.
 */

/** @typedef {"ws" | "webrtc"} Transport */
/** @typedef {"ws" | "probing" | "webrtc" | "hedge" | "orphan" | "ended"} State */
/**
 * @typedef {"offered" | "switched" | "reverted" | "doubted" | "failed" | "deadline" | "lost" | "resumed"}
 *   Event
 */

/** The reason of a switch somebody wanted: no failure of the path. */
export const PINNED = "pinned";

/** An event that a state does not list changes nothing.
 * @type {Readonly<Record<State, Partial<Record<Event, State>>>>} */
export const TABLE = Object.freeze({
  ws: { offered: "probing", lost: "ended" },
  probing: {
    offered: "probing",
    switched: "webrtc",
    reverted: "ws",
    failed: "ws",
    deadline: "ws",
    lost: "ended",
  },
  webrtc: { reverted: "hedge", doubted: "hedge", failed: "ws", lost: "orphan" },
  hedge: { switched: "webrtc", failed: "ws", deadline: "ws", lost: "orphan" },
  orphan: { resumed: "webrtc", failed: "ended", deadline: "ended" },
  ended: {},
});

/** The longest stay, in seconds. @type {Readonly<Partial<Record<State, number>>>} */
export const DEADLINES_S = Object.freeze({ probing: 10, hedge: 5, orphan: 15 });

/** Which transports the server feeds. @type {Readonly<Record<State, Transport[]>>} */
export const CARRIES = Object.freeze({
  ws: ["ws"],
  probing: ["webrtc", "ws"],
  webrtc: ["webrtc"],
  hedge: ["webrtc", "ws"],
  orphan: ["webrtc"],
  ended: [],
});

/** Whose sound is heard: never both. @type {Readonly<Record<State, Transport | null>>} */
export const AUDIBLE = Object.freeze({
  ws: "ws",
  probing: "ws",
  webrtc: "webrtc",
  hedge: "ws",
  orphan: "webrtc",
  ended: null,
});

/** @type {Readonly<Partial<Record<State, Partial<Record<Event, "connect" | "transit">>>>>} */
const FAILURES = Object.freeze({
  probing: { failed: "connect", deadline: "connect", reverted: "connect" },
  webrtc: { failed: "transit" },
  hedge: { failed: "transit", deadline: "transit" },
});

/**
 * What kind of failure an event is in a state: the transport never came to be (`connect`), broke
 * (`transit`), or it is none (null).
 * @param {State} state @param {Event} event
 * @returns {"connect" | "transit" | null}
 */
export function failure(state, event) {
  return FAILURES[state]?.[event] ?? null;
}

/** One viewer's place in the table. */
export class MediaPath {
  /** @type {State} */
  state = "ws";
  /** Of the newest peer connection. */
  epoch = 0;
  /** Why media come the way they do. */
  reason = "";
  /** When the state has lasted too long, in ms; null when it may last. @type {number | null} */
  deadlineMs = null;

  /** Whose media are to be presented. @returns {Transport} */
  get transport() {
    return AUDIBLE[this.state] ?? "ws";
  }

  /**
   * Move. `moved` is false when the event means nothing here, and nothing changed.
   * @param {Event} event @param {number} nowMs @param {string} [reason]
   * @returns {{moved: boolean, failure: "connect" | "transit" | null}}
   */
  handle(event, nowMs, reason = "") {
    const target = TABLE[this.state][event];
    if (target === undefined) return { moved: false, failure: null };
    const wanted = reason === PINNED || this.reason === PINNED;
    const failed = wanted ? null : failure(this.state, event);
    this.state = target;
    this.reason = reason;
    const limitS = DEADLINES_S[target];
    this.deadlineMs = limitS === undefined ? null : nowMs + limitS * 1000;
    return { moved: true, failure: failed };
  }

  /** Whether the state has lasted too long. @param {number} nowMs */
  overdue(nowMs) {
    return this.deadlineMs !== null && nowMs >= this.deadlineMs;
  }
}
