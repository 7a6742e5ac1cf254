/**
 * @file An event camera: each pixel compares the logarithm of its intensity with the value it last reported, and reports every time they are a
 * threshold apart. Model and constants as in the simulators ESIM (Rebecq et al. 2018) and v2e (Hu et al. 2021).
 */
import type { Stream } from '../../../../core/tensor/random.ts';
import type { EventStream } from '../../events/stream.ts';
import { eventList } from './event-list.ts';

export interface CameraOptions {
  /** Change of log intensity that makes an event. */
  threshold?: number;
  /** Standard deviation of the threshold from pixel to pixel, drawn for rises and falls apart. */
  sigma?: number;
  /** Microseconds after an event in which the pixel reports nothing; what it would have reported is lost. */
  refractory?: number;
  /** Events per second and pixel that nothing caused, half of them rises. */
  noise?: number;
  /** Added to the intensity before the logarithm. */
  dark?: number;
}

export const cameraDefaults: Required<CameraOptions> = { threshold: 0.2, sigma: 0.03, refractory: 1000, noise: 0.1, dark: 1e-3 };

/** A picture at a moment: intensities >= 0, row-major [height, width]; the array may be used again for the next. */
export interface Frame {
  /** Microseconds. */
  readonly time: number;
  readonly intensity: Float32Array;
}

/** One device: its pixels' thresholds are its own, and the same for everything it films. */
export interface Camera {
  readonly width: number;
  readonly height: number;
  readonly options: Required<CameraOptions>;
  /** Per pixel: for falls, then for rises. */
  readonly thresholds: readonly [Float32Array, Float32Array];
}

/** No pixel is so much more sensitive than the others that it never rests. */
const leastShare = 0.25;

/** A camera of this size, its thresholds drawn from `draw`. */
export function makeCamera(width: number, height: number, draw: Stream, options: CameraOptions = {}): Camera {
  const settings = { ...cameraDefaults, ...options };
  const thresholds = () =>
    Float32Array.from({ length: width * height }, () =>
      Math.max(leastShare * settings.threshold, settings.threshold + settings.sigma * draw.normal()),
    );
  return { width, height, options: settings, thresholds: [thresholds(), thresholds()] };
}

/**
 * What the camera reports of these frames, in order of time, times in whole microseconds. Between two frames the logarithm of the intensity is taken to change evenly, and
 * every crossing is an event at its own time. The first frame is what the pixels know at the start, so it causes nothing. `draw` is for the noise.
 */
export function film(camera: Camera, frames: Iterable<Frame>, draw: Stream): EventStream {
  const { width, height, options, thresholds } = camera;
  const { refractory, dark } = options;
  const pixels = width * height;
  const seen = new Float32Array(pixels);
  const level = new Float64Array(pixels);
  const reported = new Float64Array(pixels);
  const last = new Float64Array(pixels).fill(Number.NEGATIVE_INFINITY);
  const events = eventList(width, height);
  let before: number | undefined;
  let arrival = Number.POSITIVE_INFINITY;
  for (const { time, intensity } of frames) {
    if (before === undefined) {
      seen.set(intensity);
      for (let i = 0; i < pixels; i++) reported[i] = level[i] = Math.log(dark + intensity[i]!);
      before = time;
      arrival = time + wait(camera, draw);
      continue;
    }
    const lapse = time - before;
    for (let i = 0; i < pixels; i++) {
      const now = intensity[i]!;
      if (now === seen[i]!) continue;
      seen[i] = now;
      const [from, to] = [level[i]!, Math.log(dark + now)];
      level[i] = to;
      const rises = to > from ? 1 : 0;
      const step = thresholds[rises]![i]!;
      const direction = rises === 1 ? step : -step;
      for (let at = reported[i]! + direction; rises === 1 ? at <= to : at >= to; at += direction) {
        reported[i] = at;
        // the threshold of the other direction may leave the next crossing behind the frame before
        const moment = before + lapse * Math.max(0, (at - from) / (to - from));
        if (moment - last[i]! < refractory) continue;
        last[i] = moment;
        events.add(i, rises, moment);
      }
    }
    for (; arrival < time; arrival += wait(camera, draw)) events.add(draw.integer(pixels), draw.integer(2), arrival);
    events.sortNew();
    before = time;
  }
  return events.finish();
}

/** Microseconds until the next event of noise anywhere on the sensor. */
function wait({ width, height, options }: Camera, draw: Stream): number {
  const perMicrosecond = (options.noise * width * height) / 1e6;
  return perMicrosecond > 0 ? -Math.log(1 - draw.uniform()) / perMicrosecond : Number.POSITIVE_INFINITY;
}
