// @ts-check
/** What `player.stats()` gives: a player's parts, in figures. */

/**
 * @param {{
 *   state: string, welcome: any, audioDecoder: string, concealedMs: number,
 *   output: import("./audio/output.js").AudioOutput,
 *   pictures: import("./video/canvas.js").PictureCanvas,
 *   screen: import("./video/screen.js").Screen,
 *   stage: import("./changeover.js").Changeover,
 *   connection: import("./net/connection.js").Connection,
 *   upgrade: import("./net/upgrade.js").Upgrade,
 *   gauges: import("./core/gauges.js").Gauges,
 * }} parts
 */
export function figures(parts) {
  const { output, connection, upgrade, screen, stage } = parts;
  const { bufferedMs, targetMs, counts: sound } = output.stats();
  const pictures = parts.pictures.counts;
  const { peer } = upgrade;
  const onPeer = screen.top === "webrtc";
  const bytes = {
    ...connection.bytes,
    rtpVideo: peer?.bytes.video ?? 0,
    rtpAudio: peer?.bytes.audio ?? 0,
  };
  const shown = pictures.drawn + screen.counts.rendered;
  return {
    state: parts.state,
    mode: upgrade.mode,
    path: upgrade.state,
    reason: upgrade.reason,
    session: parts.welcome?.session ?? null,
    videoCodec: onPeer ? peer?.figures.codec : (parts.welcome?.video.codec ?? "–"),
    audioDecoder: output.mixer.audible === "webrtc" ? "webrtc" : parts.audioDecoder,
    candidate: peer?.figures.candidate ?? "",
    ...screen.size,
    rttMs: connection.rttMs,
    bufferedMs,
    targetMs,
    jitterMs: peer?.figures.jitterMs ?? NaN,
    locked: output.locked,
    dropped: pictures.late + pictures.overrun + pictures.failed,
    silenceMs: sound.lateMs + sound.gapMs + sound.skippedMs,
    concealedMs: parts.concealedMs + sound.concealedMs,
    underruns: sound.underruns,
    pictures: { ...pictures, rendered: screen.counts.rendered },
    bytes,
    reconnects: connection.counts.reconnects,
    upgrade: { ...upgrade.counts, epoch: peer?.epoch ?? null, apartMs: stage.apartMs },
    ...parts.gauges.read(performance.now(), bytes, shown),
  };
}
