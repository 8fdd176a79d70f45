// @ts-check
/** The element's markup. */

/** @param {string} path */
const icon = (path) => `<svg viewBox="0 0 24 24" aria-hidden="true"><path d="${path}"/></svg>`;

const SPEAKER = "M4 9v6h4l5 5V4L8 9H4z";
const WAVES =
  "M15.5 8.1v7.8a4.4 4.4 0 0 0 0-7.8zM15.5 4v2.1a6.1 6.1 0 0 1 0 11.8V20a8.2 8.2 0 0 0 0-16z";
const STOP = "M6 5h12a1 1 0 0 1 1 1v12a1 1 0 0 1-1 1H6a1 1 0 0 1-1-1V6a1 1 0 0 1 1-1z";
const CAPTIONS =
  "M4 5a2 2 0 0 0-2 2v10a2 2 0 0 0 2 2h16a2 2 0 0 0 2-2V7a2 2 0 0 0-2-2H4zm2 6h4v2H6v-2zm6 0h6v2h-6v-2z" +
  "M6 14.5h6v2H6zM14 14.5h4v2h-4z";
const CHART = "M4 20V10h4v10H4zm6 0V4h4v16h-4zm6 0v-7h4v7h-4z";

export const template = document.createElement("template");
template.innerHTML = `
<div class="frame" part="frame">
  <canvas part="canvas" role="img"></canvas>
  <video part="video" muted playsinline autoplay disablepictureinpicture aria-hidden="true"
    tabindex="-1"></video>
  <div class="badge" part="badge"><span></span></div>
  <div class="notice" part="notice" role="status"></div>
  <button class="tap" part="tap" type="button" hidden>${icon(SPEAKER + WAVES)}Tap for sound</button>
  <div class="captions" part="captions" aria-live="polite"></div>
  <dl class="stats" part="stats" hidden></dl>
</div>
<form class="bar" part="controls" autocomplete="off">
  <input type="text" name="text" part="text" maxlength="4000" placeholder="Type something to say"
    aria-label="Text to say" enterkeyhint="send">
  <button class="send" part="button send">Say</button>
  <div class="tools">
    <button type="button" name="interrupt" part="button interrupt" title="Stop speaking"
      aria-label="Stop speaking" disabled>${icon(STOP)}</button>
    <button type="button" name="mute" part="button mute" title="Mute" aria-label="Mute"
      aria-pressed="false">${icon(SPEAKER + WAVES)}</button>
    <input type="range" name="volume" part="volume" min="0" max="1" step="0.02" value="1"
      aria-label="Volume">
    <select name="mode" part="mode" title="Connection" aria-label="Connection">
      <option value="auto">Auto</option>
      <option value="ws">WebSocket</option>
      <option value="webrtc">WebRTC</option>
    </select>
    <button type="button" name="captions" part="button" title="Captions" aria-label="Captions"
      aria-pressed="true">${icon(CAPTIONS)}</button>
    <button type="button" name="stats" part="button" title="Statistics" aria-label="Statistics"
      aria-pressed="false">${icon(CHART)}</button>
  </div>
</form>`;

export const icons = { sound: icon(SPEAKER + WAVES), silent: icon(SPEAKER) };
