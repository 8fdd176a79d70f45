// @ts-check
/** The page around the element: takes the element's attributes from the URL. */
const stream = /** @type {HTMLElement & {state: string}} */ (document.querySelector("ws-stream"));
const query = new URLSearchParams(location.search);

for (const name of ["agent", "session", "audio", "video", "mode", "stats", "controls"]) {
  const value = query.get(name);
  if (value !== null) stream.setAttribute(name, value);
}

// Behind the #, since what is before it ends up in logs.
const token = new URLSearchParams(location.hash.slice(1)).get("token");
if (token) stream.setAttribute("token", token);

stream.addEventListener("welcome", (event) => {
  const { agent, video } = /** @type {CustomEvent} */ (event).detail;
  document.title = `${agent.title} · wsstream`;
  /** @type {HTMLElement} */ (document.querySelector("h1")).textContent = agent.title;
  document.querySelector("main")?.classList.toggle("wide", video.width > video.height);
});
