// Measures what is presented, from the outside: the pixels of the canvas, and the sound behind the
// player's volume. Put into every page before its own scripts.
(() => {
  const stream = () => document.querySelector("ws-stream");
  const canvas = () => stream().shadowRoot.querySelector("canvas");

  const video = () => stream().shadowRoot.querySelector("video");

  /** Whichever of the two is seen. */
  function top() {
    return video() && getComputedStyle(video()).opacity === "1" ? video() : canvas();
  }

  // A cell of the card becomes 4 pixels: enough to read it, and little to fetch.
  const CELL = 4;
  const small = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

  /** What the test card that is seen says; null when it cannot be read. See avatar/testcard.py. */
  function readCard() {
    const source = top();
    const [w, h] =
      source instanceof HTMLVideoElement
        ? [source.videoWidth, source.videoHeight]
        : [source.width, source.height];
    if (!w || !h) return null;
    const height = 18 * CELL;
    const width = Math.round((w * height) / h);
    if (small.canvas.width !== width) Object.assign(small.canvas, { width, height });
    small.drawImage(source, 0, 0, width, height);
    const { data } = small.getImageData(0, 0, width, height);
    const grey = (x, y) => {
      const i = 4 * (Math.floor(y) * width + Math.floor(x));
      return (data[i] + data[i + 1] + data[i + 2]) / 3;
    };
    const bytes = new Uint8Array(8);
    for (let i = 0; i < 64; i++) {
      const bit = grey(((i % 8) + 1.5) * CELL, (Math.floor(i / 8) + 1.5) * CELL) > 127;
      bytes[i >> 3] = (bytes[i >> 3] << 1) | bit;
    }
    let crc = 0;
    for (const byte of bytes.subarray(0, 7)) {
      crc ^= byte;
      for (let k = 0; k < 8; k++) crc = crc & 0x80 ? ((crc << 1) ^ 7) & 0xff : crc << 1;
    }
    if ((crc ^ 0x55) !== bytes[7]) return null;
    const view = new DataView(bytes.buffer);
    return {
      frame: view.getUint32(0) >>> 8,
      mediaMs: view.getUint32(3),
      flash: grey(width * 0.9, height * 0.3) > 170,
      on: source instanceof HTMLVideoElement ? "webrtc" : "ws",
    };
  }

  /** Every presented picture of a test card, until stopped: [{atMs, frame, mediaMs, flash, on}]. */
  function watchCard() {
    const seen = [];
    let last = -1;
    let running = true;
    const channel = new MessageChannel();
    let frameMs = 0;
    channel.port1.onmessage = () => {
      const card = readCard();
      if (card && card.frame !== last) {
        seen.push({ atMs: frameMs, ...card });
        last = card.frame;
      }
      if (running) requestAnimationFrame(tick);
    };
    const tick = (nowMs) => {
      frameMs = nowMs; // read after all of this frame's callbacks have drawn
      channel.port2.postMessage(null);
    };
    requestAnimationFrame(tick);
    return () => {
      running = false;
      return seen;
    };
  }

  const TAP = `
    registerProcessor("probe-tap", class extends AudioWorkletProcessor {
      process([[input]]) {
        if (input) {
          const copy = input.slice();
          this.port.postMessage({ atS: currentTime, samples: copy }, [copy.buffer]);
        }
        return true;
      }
    });`;

  /** Hand every block behind the volume to `onBlock(atS, samples)`. Returns a function to stop. */
  async function tap(onBlock) {
    const node = stream().audioNode;
    const { context } = node;
    await context.audioWorklet.addModule(URL.createObjectURL(new Blob([TAP], { type: "text/javascript" })));
    const probe = new AudioWorkletNode(context, "probe-tap", { numberOfOutputs: 1 });
    probe.port.onmessage = ({ data }) => onBlock(data.atS, data.samples);
    node.connect(probe);
    probe.connect(context.destination); // its output is silence; connected, or it would not run
    return () => {
      node.disconnect(probe);
      probe.disconnect();
    };
  }

  /** The performance.now() at which a time of the audio context is heard. */
  function heardMs(atS) {
    const { context } = stream().audioNode;
    const { contextTime, performanceTime } = context.getOutputTimestamp();
    return performanceTime + (atS - contextTime) * 1000;
  }

  /** The onset of every beep until stopped: [performance.now()]. */
  async function watchBeeps(threshold = 0.1, quietS = 0.2) {
    const onsets = [];
    let loudS = -Infinity;
    const stop = await tap((atS, samples) => {
      samples.forEach((sample, i) => {
        if (Math.abs(sample) < threshold) return;
        const at = atS + i / stream().audioNode.context.sampleRate;
        if (at - loudS > quietS) onsets.push(heardMs(at));
        loudS = at;
      });
    });
    return () => {
      stop();
      return onsets;
    };
  }

  /** The level behind the volume, until stopped: [{atMs, rms}], a value each 128 samples. */
  async function watchLevel() {
    const levels = [];
    const stop = await tap((atS, samples) => {
      const power = samples.reduce((sum, x) => sum + x * x, 0) / samples.length;
      levels.push({ atMs: heardMs(atS), rms: Math.sqrt(power) });
    });
    return () => {
      stop();
      return levels;
    };
  }

  const SPANS = `
    registerProcessor("probe-spans", class extends AudioWorkletProcessor {
      // Peaks of 32 samples (0.7 ms); what lasts shorter than the period of the tone is no silence.
      constructor({ processorOptions }) {
        super();
        this.limits = processorOptions;
        this.open = {};
      }
      process([[input]]) {
        for (let k = 0; k < 4; k++) {
          let peak = 0;
          for (let i = 32 * k; input && i < 32 * k + 32; i++) {
            peak = Math.max(peak, Math.abs(input[i]));
          }
          const atS = currentTime + (32 * k) / sampleRate;
          this.mark("loud", peak > this.limits.loud, atS);
          this.mark("quiet", peak < this.limits.quiet, atS);
        }
        return true;
      }
      mark(kind, is, atS) {
        const span = this.open[kind];
        if (is && span) span.endS = atS;
        else if (is) this.open[kind] = { kind, startS: atS, endS: atS };
        else if (span && atS - span.endS > this.limits.bridgeS) {
          this.port.postMessage(span);
          delete this.open[kind];
        }
      }
    });`;

  /** When it is louder than a beep's threshold, and when there is silence, until stopped:
   * [{kind: "loud" | "quiet", startMs, lastsMs}]. */
  async function watchSound({ loud = 0.3, quiet = 0.02, bridgeS = 0.004 } = {}) {
    const spans = [];
    const node = stream().audioNode;
    const { context } = node;
    await context.audioWorklet.addModule(
      URL.createObjectURL(new Blob([SPANS], { type: "text/javascript" })),
    );
    const probe = new AudioWorkletNode(context, "probe-spans", {
      processorOptions: { loud, quiet, bridgeS },
    });
    probe.port.onmessage = ({ data: { kind, startS, endS } }) =>
      spans.push({ kind, startMs: heardMs(startS), lastsMs: (endS - startS) * 1000 + 0.7 });
    node.connect(probe);
    probe.connect(context.destination);
    return () => {
      node.disconnect(probe);
      probe.disconnect();
      return spans;
    };
  }

  /** Each change of the transport and its reason, until stopped: [{atMs, mode, reason}]. */
  function watchMode() {
    const seen = [];
    const note = ({ detail }) => seen.push({ atMs: performance.now(), ...detail });
    stream().addEventListener("modechange", note);
    return () => {
      stream().removeEventListener("modechange", note);
      return seen;
    };
  }

  /** Pin the transport, and wait until it is the one: how long that took, in ms. */
  function switchTo(mode, timeoutMs = 10_000) {
    const startMs = performance.now();
    stream().mode = mode;
    return new Promise((resolve, reject) => {
      const look = () => {
        const { mode: now, path } = stream().stats();
        const tookMs = performance.now() - startMs;
        if (now === mode && path === mode) resolve(tookMs);
        else if (tookMs > timeoutMs) reject(new Error(`still ${now} (${path}), not ${mode}`));
        else setTimeout(look, 10);
      };
      look();
    });
  }

  const copy = document.createElement("canvas").getContext("2d", { willReadFrequently: true });

  /** The pixels of a region of what is seen, as fractions of it. */
  function pixels(x, y, w, h) {
    const source = top();
    const isVideo = source instanceof HTMLVideoElement;
    const width = isVideo ? source.videoWidth : source.width;
    const height = isVideo ? source.videoHeight : source.height;
    Object.assign(copy.canvas, { width, height });
    copy.drawImage(source, 0, 0);
    const region = [x * width, y * height, w * width, h * height].map(Math.round);
    return Array.from(copy.getImageData(...region).data);
  }

  // What came by the socket, by the type of the message. See protocol.md section 3.
  const came = { video: 0, audio: 0 };
  const AUDIO_TYPES = [0x02, 0x06];
  let best = { rttMs: Infinity, offsetMs: NaN };
  const NativeSocket = WebSocket;
  window.WebSocket = class extends NativeSocket {
    constructor(...args) {
      super(...args);
      this.addEventListener("message", ({ data }) => {
        if (data instanceof ArrayBuffer) {
          const type = new DataView(data).getUint32(0, true);
          came[AUDIO_TYPES.includes(type) ? "audio" : "video"] += data.byteLength;
        }
        if (typeof data !== "string") return;
        const { type, t, media_ms: mediaMs } = JSON.parse(data);
        if (type !== "pong") return;
        const rttMs = performance.now() - t;
        const offsetMs = mediaMs - (t + rttMs / 2);
        // A session's clock stands still where its server did: then no old answer is right.
        const moved = Math.abs(offsetMs - best.offsetMs) > (rttMs + best.rttMs) / 2 + 1;
        if (rttMs <= best.rttMs || moved) best = { rttMs, offsetMs };
      });
    }
  };

  const peers = [];
  const NativePeer = RTCPeerConnection;
  window.RTCPeerConnection = class extends NativePeer {
    constructor(...args) {
      super(...args);
      peers.push(this);
    }
  };

  // By its number and the stream's: a peer that was closed says no more.
  const streams = new Map();

  /** Bytes of pictures and sound that came so far, on either transport: {video, audio}. */
  async function received() {
    for (const [number, peer] of peers.entries()) {
      for (const one of (await peer.getStats()).values()) {
        if (one.type === "inbound-rtp") streams.set(`${number} ${one.id}`, one);
      }
    }
    const sum = { ...came };
    for (const { kind, bytesReceived } of streams.values()) sum[kind] += bytesReceived;
    return sum;
  }

  /** The session's media clock minus performance.now(), by the quickest pong so far. */
  const serverMinusLocalMs = () => best.offsetMs;

  window.probe = {
    readCard,
    watchCard,
    watchBeeps,
    watchLevel,
    watchSound,
    watchMode,
    switchTo,
    pixels,
    received,
    serverMinusLocalMs,
  };
})();
