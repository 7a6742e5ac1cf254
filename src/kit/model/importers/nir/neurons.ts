/**
 * @file Nodes of NIR files that remember: neurons, integrators and delays, in explicit Euler steps of dt. A potential starts at rest (v_leak; without a leak at
 * v_reset, or 0), takes in the current of the step, fires where it is above its threshold, and is reset at once. Of two time constants the current goes
 * first, and the potential takes in the new one.
 */
import { UserError } from '../../../../core/errors.ts';
import type { GraphBuilder } from '../../../../core/onnx/builder.ts';
import { sizeOf, tensor } from '../../../../core/tensor/tensor.ts';
import { add, coefficient, type Flow, type Opening, type OpenLayer, perElement, scaled } from './layer.ts';
import { describeNode, type NirNode, optionalNumbers, spreadOver } from './tree.ts';

/** Seconds of a step. */
function stepOf(node: NirNode, { dt }: Opening): number {
  if (dt !== undefined) return dt;
  throw new UserError(
    `${describeNode(node)} computes in seconds, and the file does not say how long a time step is`,
    'say it: --dt 1e-4 (what snnTorch and SpikingJelly export with)',
  );
}

/** dt / tau per element. Throws a UserError where a step is longer than the time constant. */
function decay(node: NirNode, field: string, shape: readonly number[], dt: number): Float64Array {
  const tau = perElement(node, field, shape);
  const shortest = tau.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  if (!(shortest > 0))
    throw new UserError(
      `${describeNode(node)} has the time constant ${field} = ${shortest} s`,
      'time constants have to be positive',
    );
  // what frameworks write as float32 may be short by a rounding
  if (dt > shortest * (1 + 1e-6))
    throw new UserError(
      `${describeNode(node)} has the time constant ${field} = ${shortest} s, shorter than the step of ${dt} s`,
      `take the step the network was trained with, at most --dt ${shortest}`,
    );
  return tau.map((t) => Math.min(1, dt / t));
}

/** x <- keep x + gain input + shift, from a start that may be zeros. */
interface Leak {
  readonly keep: string | undefined;
  readonly gain: string | undefined;
  readonly shift: Flow;
  readonly start: Flow;
}

const nonzero = (g: GraphBuilder, values: Float64Array, shape: readonly number[]): Flow =>
  values.every((v) => Math.fround(v) === 0) ? undefined : g.constant(tensor('float32', [1, ...shape], Float32Array.from(values)));

const next = (g: GraphBuilder, { keep, gain, shift }: Leak, state: Flow, input: Flow): Flow =>
  add(g, add(g, scaled(g, state, keep), scaled(g, input, gain)), shift);

/** tau dv/dt = (v_leak - v) + r I. */
function leaky(node: NirNode, shape: readonly number[], opening: Opening, tau: string): Leak {
  const { g } = opening;
  const share = decay(node, tau, shape, stepOf(node, opening));
  const [r, rest] = [perElement(node, 'r', shape), perElement(node, 'v_leak', shape)];
  return {
    keep: coefficient(
      g,
      share.map((s) => 1 - s),
      shape,
      1,
    ),
    gain: coefficient(
      g,
      share.map((s, i) => s * r[i]!),
      shape,
      1,
    ),
    shift: nonzero(
      g,
      share.map((s, i) => s * rest[i]!),
      shape,
    ),
    start: nonzero(g, rest, shape),
  };
}

/** dv/dt = r I. */
function integrating(node: NirNode, shape: readonly number[], opening: Opening): Leak {
  const dt = stepOf(node, opening);
  const gain = coefficient(
    opening.g,
    perElement(node, 'r', shape).map((r) => r * dt),
    shape,
    1,
  );
  return { keep: undefined, gain, shift: undefined, start: nonzero(opening.g, resetValues(node, shape), shape) };
}

/** tau_syn dI/dt = -I + w_in S. */
function synapse(node: NirNode, shape: readonly number[], opening: Opening): Leak {
  const { g } = opening;
  const share = decay(node, 'tau_syn', shape, stepOf(node, opening));
  const stated = optionalNumbers(node, 'w_in');
  const into = stated === undefined ? share.map(() => 1) : spreadOver(node, 'w_in', shape, stated);
  return {
    keep: coefficient(
      g,
      share.map((s) => 1 - s),
      shape,
      1,
    ),
    gain: coefficient(
      g,
      share.map((s, i) => s * into[i]!),
      shape,
      1,
    ),
    shift: undefined,
    start: undefined,
  };
}

/** Where a potential goes that has fired; files of older versions leave it out. */
const resetValues = (node: NirNode, shape: readonly number[]): Float64Array =>
  node.fields.has('v_reset') ? perElement(node, 'v_reset', shape) : new Float64Array(sizeOf(shape));

interface Firing {
  /** Whether what comes out are spikes; the potential otherwise. */
  readonly fires: boolean;
  readonly synapse?: (node: NirNode, shape: readonly number[], opening: Opening) => Leak;
  readonly membrane: (node: NirNode, shape: readonly number[], opening: Opening) => Leak;
}

const neuron =
  ({ fires, synapse: current, membrane }: Firing): OpenLayer =>
  (node, shape, opening) => {
    const { g } = opening;
    const [input, potential] = [current?.(node, shape, opening), membrane(node, shape, opening)];
    const level = fires ? coefficient(g, perElement(node, 'v_threshold', shape), shape)! : undefined;
    const target = fires ? coefficient(g, resetValues(node, shape), shape, 0) : undefined;
    let flow: Flow = input?.start;
    let v: Flow = potential.start;
    let due: Flow;
    return {
      shape,
      remembers: true,
      step(x, t) {
        flow = input === undefined ? x : next(g, input, flow, x);
        v = next(g, potential, v, flow);
        if (level === undefined || v === undefined) return v;
        if (due !== undefined) v = g.op('Sub', [v, due]);
        const s = g.op('Cast', [g.op('Greater', [v, level])], { to: 1 }, g.fresh(`${node.name}.spike${t}`));
        if (opening.reset === 'subtract') v = g.op('Sub', [v, g.op('Mul', [s, level])]);
        else if (opening.reset === 'subtract-late') due = g.op('Mul', [s, level]);
        else
          v = add(
            g,
            g.op('Mul', [v, g.op('Sub', [g.number(1), s])]),
            target === undefined ? undefined : g.op('Mul', [s, target]),
          );
        return s;
      },
    };
  };

/** y(t) = x(t - delay), element by element. */
const delay: OpenLayer = (node, shape, opening) => {
  const { g } = opening;
  const dt = stepOf(node, opening);
  const steps = perElement(node, 'delay', shape).map((seconds) => {
    const count = Math.round(seconds / dt);
    if (!(count >= 0) || Math.abs(seconds / dt - count) > 1e-3)
      throw new UserError(
        `${describeNode(node)} waits ${seconds} s, which is not a whole number of steps of ${dt} s`,
        'choose --dt so that it divides every delay',
      );
    return count;
  });
  const lengths = [...new Set(steps)].sort((a, b) => a - b);
  const masks = lengths.map((length) =>
    coefficient(
      g,
      steps.map((s) => (s === length ? 1 : 0)),
      shape,
      1,
    ),
  );
  const past: Flow[] = [];
  return {
    shape,
    remembers: lengths[0]! > 0,
    step(x, t) {
      past.push(x);
      return lengths.reduce<Flow>((sum, length, k) => add(g, sum, scaled(g, past[t - length], masks[k])), undefined);
    },
  };
};

export const neurons: Readonly<Record<string, OpenLayer>> = {
  I: neuron({ fires: false, membrane: integrating }),
  IF: neuron({ fires: true, membrane: integrating }),
  LI: neuron({ fires: false, membrane: (node, shape, opening) => leaky(node, shape, opening, 'tau') }),
  LIF: neuron({ fires: true, membrane: (node, shape, opening) => leaky(node, shape, opening, 'tau') }),
  CubaLI: neuron({ fires: false, synapse, membrane: (node, shape, opening) => leaky(node, shape, opening, 'tau_mem') }),
  CubaLIF: neuron({ fires: true, synapse, membrane: (node, shape, opening) => leaky(node, shape, opening, 'tau_mem') }),
  Delay: delay,
};
