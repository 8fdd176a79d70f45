// @ts-check
/** How far two sources of the same sound are apart, by what they sound like. Pure. */

/** A first look takes the mean of so many samples for one: cheap, and good to a quarter of 1 kHz. */
const COARSE = 4;
/** Softer than this nothing can be told, and need not be. */
const SILENT = 0.002;
/** Less alike than this, of 1, they are not the same sound. */
const ALIKE = 0.6;
/** A tone is alike to itself again and again: what is nearly as good as the best may be meant. */
const AS_GOOD = 0.98;
const TINY = 1e-24;

/**
 * By how many samples `ahead` is ahead of `sound` (fractional; negative: behind), where
 * `sound[i]` is like `ahead[i - lag]`; NaN when that cannot be told.
 * @param {Float32Array} sound @param {Float32Array} ahead as many, of the same time
 * @param {number} most how far they may be apart, in samples
 * @param {number} near where it is expected: of several lags as good, the nearest to it is taken
 */
export function lagBetween(sound, ahead, most, near) {
  if (Math.min(loudness(sound), loudness(ahead)) < SILENT) return NaN;
  const rough = likenesses(coarse(sound), coarse(ahead), 0, Math.ceil(most / COARSE));
  const peak = best(rough, near / COARSE);
  if (!(peak.likeness > ALIKE)) return NaN;
  const fine = likenesses(sound, ahead, Math.round(peak.lag * COARSE), 2 * COARSE);
  return best(fine, peak.lag * COARSE).lag;
}

/** @param {Float32Array} samples */
function loudness(samples) {
  return Math.sqrt(samples.reduce((sum, x) => sum + x * x, 0) / samples.length);
}

/** @param {Float32Array} samples */
function coarse(samples) {
  return Float32Array.from({ length: Math.floor(samples.length / COARSE) }, (_, i) => {
    let sum = 0;
    for (let k = 0; k < COARSE; k++) sum += samples[i * COARSE + k];
    return sum / COARSE;
  });
}

/**
 * The normalised correlation at each lag about a middle one.
 * @param {Float32Array} a @param {Float32Array} b @param {number} middle @param {number} reach
 */
function likenesses(a, b, middle, reach) {
  const edge = Math.abs(middle) + reach + 1;
  const end = a.length - edge;
  const [powerA, powerB] = [powers(a), powers(b)];
  return Array.from({ length: 2 * reach + 1 }, (_, n) => {
    const lag = middle - reach + n;
    let product = 0;
    for (let i = edge; i < end; i++) product += a[i] * b[i - lag];
    const aa = powerA[end] - powerA[edge];
    const bb = powerB[end - lag] - powerB[edge - lag];
    return { lag, likeness: product / Math.sqrt(aa * bb + TINY) };
  });
}

/** The sum of squares before each sample, and of all. @param {Float32Array} samples */
function powers(samples) {
  const sums = new Float64Array(samples.length + 1);
  samples.forEach((sample, i) => (sums[i + 1] = sums[i] + sample * sample));
  return sums;
}

/**
 * The peak that is meant, between the lags by a parabola through three.
 * @param {{lag: number, likeness: number}[]} found @param {number} near
 */
function best(found, near) {
  const peaks = found.filter(
    ({ likeness }, i) =>
      i > 0 &&
      i < found.length - 1 &&
      likeness >= found[i - 1].likeness &&
      likeness > found[i + 1].likeness,
  );
  const most = Math.max(...peaks.map(({ likeness }) => likeness));
  const [peak] = peaks
    .filter(({ likeness }) => likeness >= AS_GOOD * most)
    .sort((a, b) => Math.abs(a.lag - near) - Math.abs(b.lag - near));
  if (!peak) return { lag: NaN, likeness: NaN };
  const i = peak.lag - found[0].lag;
  const [before, at, after] = [found[i - 1], peak, found[i + 1]].map((one) => one.likeness);
  const bend = before - 2 * at + after;
  const off = bend < 0 ? (before - after) / (2 * bend) : 0;
  return { lag: peak.lag + off, likeness: at };
}
