// @ts-check
/** The bar below the picture: what to say, stop, sound, connection, captions, figures. */
import { icons } from "./template.js";

/**
 * @typedef {{
 *   state: string, say(text: string): void, interrupt(): void, muted: boolean, volume: number,
 *   captions: boolean, showStats: boolean, mode: string,
 * }} Target what the controls act on
 */

export class Controls {
  #form;
  #target;

  /** @param {HTMLFormElement} form @param {Target} target */
  constructor(form, target) {
    this.#form = form;
    this.#target = target;
    form.onsubmit = (event) => {
      event.preventDefault();
      const box = this.#input("text");
      // Not while nobody would get it: what was typed stays.
      if (!box.value.trim() || ["connecting", "down"].includes(target.state)) return;
      target.say(box.value);
      box.value = "";
    };
    this.#button("interrupt").onclick = () => target.interrupt();
    this.#button("mute").onclick = () => {
      target.muted = !target.muted;
    };
    this.#input("volume").oninput = () => {
      target.volume = Number(this.#input("volume").value);
      target.muted = false;
    };
    this.#mode.onchange = () => {
      target.mode = this.#mode.value;
    };
    this.#button("captions").onclick = () => {
      target.captions = !target.captions;
    };
    this.#button("stats").onclick = () => {
      target.showStats = !target.showStats;
    };
    this.show();
  }

  /** @param {boolean} speaking */
  set speaking(speaking) {
    this.#button("interrupt").disabled = !speaking;
  }

  /** Show how things stand. */
  show() {
    const { muted, volume, captions, showStats, mode } = this.#target;
    const mute = this.#button("mute");
    mute.innerHTML = muted ? icons.silent : icons.sound;
    mute.ariaPressed = String(muted);
    mute.title = muted ? "Unmute" : "Mute";
    this.#input("volume").value = String(muted ? 0 : volume);
    this.#mode.value = mode;
    this.#button("captions").ariaPressed = String(captions);
    this.#button("stats").ariaPressed = String(showStats);
  }

  get #mode() {
    return /** @type {HTMLSelectElement} */ (this.#form.elements.namedItem("mode"));
  }

  /** @param {string} name */
  #button(name) {
    return /** @type {HTMLButtonElement} */ (this.#form.elements.namedItem(name));
  }

  /** @param {string} name */
  #input(name) {
    return /** @type {HTMLInputElement} */ (this.#form.elements.namedItem(name));
  }
}
