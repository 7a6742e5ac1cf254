/** @file What becomes of an input on disk: bytes and back, and rounding an example so that it stays within its budget. */
import { sizeOf, viewOf } from '../../core/tensor/tensor.ts';
import type { InputSpec } from '../model/model.ts';
import { perElement } from './elements.ts';
import { type Grid, gridOf } from './grid.ts';
import type { ThreatOptions } from './threat.ts';

/**
 * The stored form of one sample: a byte per value (uint8, binary, up to 256 levels), little-endian int16 (pcm16) or float32.
 * Values off the grid go to the nearest grid point.
 */
export function toBytes(spec: InputSpec, x: Float32Array): Uint8Array {
  const grid = gridOf(spec);
  if (grid === undefined || spec.storage === 'float32') return new Uint8Array(x.slice().buffer);
  const points = Array.from(x, (value, i) => grid.nearest(i, value));
  return spec.storage === 'pcm16' ? new Uint8Array(Int16Array.from(points).buffer) : Uint8Array.from(points);
}

/** One sample from its stored form; the exact inverse of `toBytes` for values on the grid. */
export function fromBytes(spec: InputSpec, bytes: Uint8Array): Float32Array {
  const grid = gridOf(spec);
  const float = grid === undefined || spec.storage === 'float32';
  const stored = viewOf(float ? 'float32' : spec.storage === 'pcm16' ? 'int16' : 'uint8', bytes);
  if (stored.length !== sizeOf(spec.shape))
    throw new Error(`an input [${spec.shape}] needs ${sizeOf(spec.shape)} values, its stored form has ${stored.length}`);
  return Float32Array.from(stored, (k, i) => (float ? k : grid.value(i, k)));
}

/** Every value moved to the nearest one the storage can hold: what a loader does to originals, so that budgets count whole steps. */
export function onGrid(spec: InputSpec, x: Float32Array): Float32Array {
  const grid = gridOf(spec);
  return grid === undefined ? x.slice() : x.map((value, i) => grid.value(i, grid.nearest(i, value)));
}

/**
 * The example as it will be read back. Values go to the nearest grid point where the budget around x0 leaves room for that and towards the original
 * elsewhere: always rounding towards the original would erase every l2 perturbation of less than a step per value.
 * An x outside its budget is rounded, not mended: `budgetViolation` reports it. Without a grid (float32) x is returned as it is.
 */
export function toStorage(spec: InputSpec, x0: Float32Array, x: Float32Array, options: ThreatOptions): Float32Array {
  const grid = gridOf(spec);
  if (grid === undefined) return x.slice();
  const points = budgeted(grid, spec, x0, x, options);
  return Float32Array.from(points, (k, i) => grid.value(i, k));
}

interface Away {
  readonly i: number;
  /** The grid point when rounded towards the original instead. */
  readonly towards: number;
  /** What that saves of the budget, to the norm's power. */
  readonly saving: number;
  /** How far rounding away overshoots, in steps. */
  readonly excess: number;
}

/** Grid points of the rounded example: linf judges each element alone, l2 and l1 take back the roundings that overshoot most until the sum fits. */
function budgeted(grid: Grid, spec: InputSpec, x0: Float32Array, x: Float32Array, options: ThreatOptions): Float64Array {
  const { norm, eps } = options;
  const scale = options.scale === undefined ? () => 1 : perElement(spec, options.scale, 'scale');
  const power = norm === 'l2' ? 2 : 1;
  const allowed = eps ** power * (1 + 1e-9);
  const points = new Float64Array(x.length);
  const aways: Away[] = [];
  let spent = 0;
  for (let i = 0; i < x.length; i++) {
    const from = grid.position(i, x0[i]!);
    const to = grid.position(i, x[i]!);
    const towards = to >= from ? Math.floor(to) : Math.ceil(to);
    const near = grid.nearest(i, x[i]!);
    const cost = (k: number): number => ((Math.abs(k - from) * grid.step(i)) / scale(i)) ** power;
    const saving = cost(near) - cost(towards);
    points[i] = norm === 'linf' && saving > 0 && cost(near) > allowed ? towards : near;
    spent += cost(near);
    if (saving > 0) aways.push({ i, towards, saving, excess: Math.abs(near - to) });
  }
  if (norm === 'linf' || norm === 'l0') return points;
  aways.sort((a, b) => b.excess - a.excess || a.i - b.i);
  for (const { i, towards, saving } of aways) {
    if (spent <= allowed) break;
    points[i] = towards;
    spent -= saving;
  }
  return points;
}
