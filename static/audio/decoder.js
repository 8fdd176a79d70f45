// @ts-check
/**
 * Opus packets (or agreed PCM) to Float32 at the output's rate. Three ways, best first:
 *
 *   webcodecs   AudioDecoder, where the browser has it and it takes Opus (probed, never guessed)
 *   wasm        the vendored libopus, for Safari and plain HTTP
 *   pcm         no decoder at all: the server is asked for plain PCM
 *
 * Where the server had to drop sound, libopus conceals what is missing. WebCodecs has no such call:
 * the ring buffer fades over it.
 */

const OPUS_RATE = 48_000;
const PACKET_MS = 20;
const JUMP_MS = 1;
/** What libopus conceals; it has faded by then. */
const CONCEAL_MS = 100;
/** What is missing for longer came another way meanwhile, or was too much to be waited through. */
const MOST_MS = 500;
const WASM_URL = new URL("../vendor/opus-decoder/opus-decoder.min.js", import.meta.url);

/**
 * @typedef {"webcodecs" | "wasm" | "pcm"} DecoderKind
 * @typedef {(mediaMs: number, pcm: Float32Array) => void} OnPcm
 * @typedef {{
 *   kind: DecoderKind,
 *   decode(mediaMs: number, payload: Uint8Array): void,
 *   reset(): void,
 *   close(): void,
 *   failures: number,
 *   concealedMs: number,
 * }} Decoder
 */

/**
 * The best decoder that works here.
 * @param {OnPcm} onPcm called with sound at 48 kHz (`pcm`: at the rate the server names)
 * @param {"auto" | DecoderKind} wanted
 * @returns {Promise<Decoder>}
 */
export async function createDecoder(onPcm, wanted = "auto") {
  /** @type {[DecoderKind, (onPcm: OnPcm) => Promise<Decoder | null>][]} */
  const ways = [
    ["webcodecs", webcodecs],
    ["wasm", wasm],
  ];
  for (const [kind, make] of ways) {
    if (wanted !== "auto" && wanted !== kind) continue;
    const decoder = await make(onPcm).catch(() => null);
    if (decoder) return decoder;
  }
  return pcm(onPcm);
}

/** @param {OnPcm} onPcm @returns {Promise<Decoder | null>} */
async function webcodecs(onPcm) {
  const config = { codec: "opus", sampleRate: OPUS_RATE, numberOfChannels: 1 };
  if (typeof AudioDecoder === "undefined") return null;
  if (!(await AudioDecoder.isConfigSupported(config)).supported) return null;
  let failures = 0;
  /** The timestamp that follows the last one. */
  let nextMs = NaN;
  /** @type {AudioDecoder} */
  let decoder;
  const open = () => {
    decoder = new AudioDecoder({
      output(data) {
        const samples = new Float32Array(data.numberOfFrames);
        data.copyTo(samples, { planeIndex: 0, format: "f32-planar" });
        onPcm(data.timestamp / 1000, samples);
        data.close();
      },
      error: () => failures++,
    });
    decoder.configure(config);
  };
  open();
  return {
    kind: "webcodecs",
    decode(mediaMs, payload) {
      if (decoder.state === "closed") open(); // one bad packet is no reason to stay silent
      else if (Math.abs(mediaMs - nextMs) > JUMP_MS) {
        // It counts samples from its first timestamp on and sees no gap: another one will.
        const last = decoder;
        last.flush().then(() => last.close(), () => {});
        open();
      }
      nextMs = mediaMs + PACKET_MS;
      decoder.decode(
        new EncodedAudioChunk({ type: "key", timestamp: mediaMs * 1000, data: payload }),
      );
    },
    reset() {
      if (decoder.state !== "closed") decoder.close();
    },
    close() {
      if (decoder.state !== "closed") decoder.close();
    },
    get failures() {
      return failures;
    },
    concealedMs: 0,
  };
}

/** @param {OnPcm} onPcm @returns {Promise<Decoder | null>} */
async function wasm(onPcm) {
  if (typeof WebAssembly === "undefined") return null;
  const library = await loadWasm();
  const decoder = new library.OpusDecoder({ channels: 1, sampleRate: OPUS_RATE });
  await decoder.ready;
  let [failures, concealedMs] = [0, 0];
  /** The timestamp that follows the last one, and the packet's first byte. */
  let [nextMs, toc] = [NaN, 0];
  /** A reset frees what it decodes with at once, and has it again some time later. */
  let [resetting, closed] = [false, false];
  const decodeAt = (/** @type {number} */ mediaMs, /** @type {Uint8Array} */ payload) => {
    const { channelData, samplesDecoded, errors } = decoder.decodeFrame(payload);
    failures += errors.length;
    if (samplesDecoded) onPcm(mediaMs, channelData[0]);
  };
  return {
    kind: "wasm",
    decode(mediaMs, payload) {
      if (resetting) return; // there is nothing to decode it with
      if (!payload.length) return; // it would be taken for a lost packet
      if (mediaMs - nextMs > MOST_MS) nextMs = NaN;
      const untilMs = Math.min(mediaMs, nextMs + CONCEAL_MS) - JUMP_MS;
      for (; nextMs < untilMs; nextMs += PACKET_MS, concealedMs += PACKET_MS) {
        // The first byte alone is a packet whose one frame is missing (RFC 6716 section 3.2.1).
        decodeAt(nextMs, Uint8Array.of(toc & 0xfc));
      }
      decodeAt(mediaMs, payload);
      [nextMs, toc] = [mediaMs + PACKET_MS, payload[0]];
    },
    reset() {
      nextMs = NaN;
      if (resetting) return;
      resetting = true;
      decoder.reset().then(() => {
        resetting = false;
        if (closed) decoder.free();
      });
    },
    close() {
      closed = true;
      if (!resetting) decoder.free();
    },
    get failures() {
      return failures;
    },
    get concealedMs() {
      return concealedMs;
    },
  };
}

/** A classic script, which leaves its exports on the window. @returns {Promise<any>} */
function loadWasm() {
  const found = () => /** @type {any} */ (globalThis)["opus-decoder"];
  if (found()) return Promise.resolve(found());
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = WASM_URL.href;
    script.onload = () => resolve(found());
    script.onerror = () => reject(new Error("the WASM Opus decoder did not load"));
    document.head.append(script);
  });
}

/** @param {OnPcm} onPcm @returns {Decoder} */
function pcm(onPcm) {
  return {
    kind: "pcm",
    decode(mediaMs, payload) {
      const view = new DataView(payload.buffer, payload.byteOffset, payload.byteLength);
      const samples = new Float32Array(payload.byteLength >> 1);
      for (let i = 0; i < samples.length; i++) samples[i] = view.getInt16(2 * i, true) / 32768;
      onPcm(mediaMs, samples);
    },
    reset() {},
    close() {},
    failures: 0,
    concealedMs: 0,
  };
}
