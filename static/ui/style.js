// @ts-check
/** The element's looks. Colours follow the page's `color-scheme`; `::part` reaches everything. */
export const style = new CSSStyleSheet();
style.replaceSync(`
:host {
  --accent: #e8795a;
  --ink: light-dark(#221d1a, #f4efea);
  --quiet: light-dark(#6b625c, #a89f98);
  --panel: light-dark(#ffffff, #211d1b);
  --line: light-dark(#e4ddd6, #38322e);
  --radius: 20px;
  display: grid;
  gap: 14px;
  color: var(--ink);
  font: 16px/1.45 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif;
}
:host([hidden]) { display: none; }
* { box-sizing: border-box; }
button, input, select { font: inherit; color: inherit; }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }

.frame {
  position: relative;
  overflow: hidden;
  border-radius: var(--radius);
  background: #14110f;
  aspect-ratio: var(--aspect, 1);
  box-shadow: 0 24px 60px -24px rgb(0 0 0 / .45);
}
canvas, video { display: block; width: 100%; height: 100%; object-fit: contain; }
video { position: absolute; inset: 0; opacity: 0; pointer-events: none; }
video.top { opacity: 1; }

.badge, .notice, .captions span { background: rgb(20 17 15 / .66); color: #fff; }
.badge, .notice { backdrop-filter: blur(10px); }
.badge {
  position: absolute; top: 14px; left: 14px;
  display: flex; align-items: center; gap: 7px;
  padding: 5px 11px; border-radius: 99px; font-size: 13px;
}
.badge::before {
  content: ""; width: 8px; height: 8px; border-radius: 50%; background: var(--dot, #c9b28a);
}
.badge[data-state="live"] { --dot: #6fd08c; }
.badge[data-state="switching"] { --dot: #e8b85a; }
.badge[data-state="down"] { --dot: #ee6a5f; }
.notice {
  position: absolute; top: 14px; left: 50%; translate: -50% 0; max-width: 70%;
  padding: 7px 14px; border-radius: 12px; font-size: 14px; text-align: center;
}
.notice:empty { display: none; }
.captions {
  position: absolute; inset: auto 5% 22px; text-align: center; pointer-events: none;
  font-size: clamp(15px, 2.6cqw + 6px, 22px);
}
.captions span {
  padding: 4px 12px; border-radius: 10px; box-decoration-break: clone;
  -webkit-box-decoration-break: clone; line-height: 1.75;
}
.tap {
  position: absolute; inset: auto 0 24px; margin: auto; width: max-content;
  display: flex; align-items: center; gap: 10px;
  padding: 13px 22px; border: 0; border-radius: 99px; cursor: pointer;
  background: var(--accent); color: #fff; font-weight: 600;
  box-shadow: 0 10px 30px -8px rgb(0 0 0 / .6);
}
.tap:hover { filter: brightness(1.06); }
.tap[hidden] { display: none; }
.tap:not([hidden]) ~ .captions { bottom: 96px; }

.stats {
  position: absolute; top: 54px; left: 14px; margin: 0; padding: 10px 14px;
  display: grid; grid-template-columns: auto auto; gap: 1px 14px;
  border-radius: 12px; background: rgb(20 17 15 / .78); color: #f2ece6;
  font: 12.5px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace;
  max-width: calc(100% - 28px);
}
.stats[hidden] { display: none; }
.stats dt { color: #b9aea5; }
.stats dd { margin: 0; overflow-wrap: anywhere; }

.bar {
  display: flex; flex-wrap: wrap; align-items: center; gap: 8px;
  padding: 8px; border: 1px solid var(--line); border-radius: var(--radius);
  background: var(--panel);
}
.bar[hidden] { display: none; }
.bar input[type="text"] {
  flex: 1 1 130px; min-width: 0; padding: 10px 14px; border: 0; border-radius: 13px;
  background: transparent;
}
.bar input[type="text"]::placeholder { color: var(--quiet); }
.bar button {
  display: grid; place-items: center; height: 42px; min-width: 42px; padding: 0 12px;
  border: 0; border-radius: 13px; background: transparent; cursor: pointer;
}
.bar button:hover:not(:disabled) { background: color-mix(in srgb, currentColor 9%, transparent); }
.bar button:disabled { opacity: .38; cursor: default; }
.bar button.send { background: var(--accent); color: #fff; font-weight: 600; padding: 0 18px; }
.bar button.send:hover:not(:disabled) { background: var(--accent); filter: brightness(1.06); }
.bar button[aria-pressed="true"] { color: var(--accent); }
.bar svg, .tap svg { width: 20px; height: 20px; fill: currentColor; }
.bar input[type="range"] { width: 84px; accent-color: var(--accent); }
.bar select {
  height: 42px; max-width: 118px; padding: 0 6px; border: 0; border-radius: 13px;
  background: transparent; color: var(--quiet); font-size: 14px; cursor: pointer;
}
.bar select:hover { background: color-mix(in srgb, currentColor 9%, transparent); }
.bar option { background: var(--panel); color: var(--ink); }
.tools { display: flex; align-items: center; gap: 2px; margin-left: auto; }
@media (max-width: 480px) {
  .bar input[type="text"] { flex-basis: 60%; }
  .bar input[type="range"] { display: none; }
  .tools { width: 100%; justify-content: space-between; }
}
@media (prefers-reduced-motion: no-preference) {
  .tap { animation: rise .5s .2s both cubic-bezier(.2, .8, .3, 1); }
  @keyframes rise { from { opacity: 0; translate: 0 12px; } }
}
`);
