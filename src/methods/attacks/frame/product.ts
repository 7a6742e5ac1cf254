/** @file The budgets of a bounded attack: every input keeps to its own norm and eps. Lengths are shares of eps, so that one step size serves all inputs. */
import type { Stream } from '../../../core/tensor/random.ts';
import type { Sample } from '../../../kit/model/model.ts';
import type { Threat } from '../../../kit/threat/threat.ts';
import { joined, type Part, partsOf, roomOf, type Space } from './space.ts';

/** Changes in the model's own units; a point is allowed where every input's change is inside its own ball, mask and bounds. */
export interface Product extends Space {
  /** The nearest allowed change, input by input. */
  project(u: Float32Array): Float32Array;
  /** The steepest ascent whose length is `share` times eps, in every input's own norm. */
  step(gradient: Float32Array, share: number): Float32Array;
  /** project(u + step(gradient, share)), bit for bit, in fewer walks over memory where that is possible. */
  advance(u: Float32Array, gradient: Float32Array, share: number): Float32Array;
  /** Uniform in every input's ball, before bounds: project it. Inputs draw from forks of the stream by name. */
  random(stream: Stream): Float32Array;
  /** The same function of every input's part of some vectors, laid out as one vector again. */
  each(f: (part: Part, ...cuts: Float32Array[]) => Float32Array, ...vectors: Float32Array[]): Float32Array;
  /** The same space with every eps times `factor`. */
  grown(factor: number): Product;
}

/** The allowed changes of one sample; size is the largest of the inputs' sizes, each over its eps. */
export function productOf(sample: Sample, threats: Readonly<Record<string, Threat>>): Product {
  const parts = partsOf(sample, threats);
  const { low, high } = roomOf(parts, () => 1);
  const n = low.length;
  const cut = (u: Float32Array, { from, to }: Part): Float32Array => (parts.length === 1 ? u : u.subarray(from, to));
  const each: Product['each'] = (f, ...vectors) => {
    if (parts.length === 1) return f(parts[0]!, ...vectors);
    const all = new Float32Array(n);
    for (const part of parts) all.set(f(part, ...vectors.map((u) => cut(u, part))), part.from);
    return all;
  };
  return {
    n,
    parts,
    low,
    high,
    write(u, into) {
      for (const { name, from, x } of parts) {
        const point = into[name]!;
        for (let i = 0; i < x.length; i++) point[i] = x[i]! + u[from + i]!;
      }
    },
    pull: (gradient) => joined(parts, gradient),
    size: (u) => Math.max(0, ...parts.map((part) => shareOf(part.threat.size(cut(u, part)), part.threat.eps))),
    project: (u) => each(({ x, threat }, v) => threat.project(x, v!), u),
    step: (gradient, share) => each(({ threat }, g) => threat.step(g!, share * threat.eps), gradient),
    advance: (u, gradient, share) => each(({ x, threat }, v, g) => threat.advance(x, v!, g!, share * threat.eps), u, gradient),
    random: (stream) => each(({ name, threat }) => threat.random(stream.fork(name))),
    each,
    grown: (factor) =>
      productOf(sample, Object.fromEntries(parts.map(({ name, threat }) => [name, threat.at(factor * threat.eps)]))),
  };
}

const shareOf = (size: number, eps: number): number => (size === 0 ? 0 : size / eps);
