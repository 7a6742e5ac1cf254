/** @file The activation functions of recurrent nodes, and their slopes. */
import { UserError } from '../../../errors.ts';
import { describeNode, floatOf, floatsOf, type Node } from '../../../onnx/graph.ts';
import type { Algebra } from '../../algebra.ts';

/** A function of one number as nodes; `slope` may use the value, which is at hand. */
export interface Activation {
  value(m: Algebra, x: string): string;
  slope(m: Algebra, x: string, value: string): string;
}

/** A gate, or all of a kind side by side: its value, and its derivative by what enters it. */
export interface Gate {
  readonly value: string;
  readonly slope: string;
}

export function gated(m: Algebra, f: Activation, z: string): Gate {
  const value = f.value(m, z);
  return { value, slope: f.slope(m, z, value) };
}

/** f of what is limited to [-clip, clip]; f itself where the node has no clip. */
export function clipped(f: Activation, node: Node): Activation {
  const clip = floatOf(node, 'clip');
  if (clip === undefined) return f;
  const limit = (m: Algebra, z: string): string => m.clip(z, -clip, clip);
  return {
    value: (m, z) => f.value(m, limit(m, z)),
    slope: (m, z, value) => m.mul(f.slope(m, limit(m, z), value), m.mask(m.greater(clip, m.abs(z)))),
  };
}

interface Template {
  /** The runtime's default where the node gives none; absent where the function has no such parameter. */
  readonly alpha?: number;
  readonly beta?: number;
  value(m: Algebra, x: string, alpha: number, beta: number): string;
  slope(m: Algebra, x: string, value: string, alpha: number, beta: number): string;
}

const templates: Readonly<Record<string, Template>> = {
  sigmoid: { value: (m, x) => m.sigmoid(x), slope: (m, _, y) => m.mul(y, m.sub(1, y)) },
  tanh: { value: (m, x) => m.tanh(x), slope: (m, _, y) => m.sub(1, m.square(y)) },
  relu: { value: (m, x) => m.relu(x), slope: (m, x) => m.step(x) },
  affine: {
    alpha: 0,
    beta: 0,
    value: (m, x, alpha, beta) => m.add(m.mul(alpha, x), beta),
    // clipped from both sides: alpha everywhere
    slope: (m, x, _, alpha) => m.clip(x, alpha, alpha),
  },
  leakyrelu: {
    alpha: 0.01,
    value: (m, x, alpha) => m.where(m.greater(x, 0), x, m.mul(alpha, x)),
    slope: (m, x, _, alpha) => m.where(m.greater(x, 0), 1, alpha),
  },
  thresholdedrelu: {
    alpha: 1,
    value: (m, x, alpha) => m.where(m.greater(x, alpha), x, 0),
    slope: (m, x, _, alpha) => m.mask(m.greater(x, alpha)),
  },
  scaledtanh: {
    alpha: 0,
    beta: 0,
    value: (m, x, alpha, beta) => m.mul(alpha, m.tanh(m.mul(beta, x))),
    slope: (m, x, _, alpha, beta) => m.mul(alpha * beta, m.sub(1, m.square(m.tanh(m.mul(beta, x))))),
  },
  hardsigmoid: {
    alpha: 0.2,
    beta: 0.5,
    value: (m, x, alpha, beta) => m.hardSigmoid(x, alpha, beta),
    slope: (m, _, y, alpha) => m.mul(alpha, m.mul(m.step(y), m.step(m.sub(1, y)))),
  },
  elu: {
    alpha: 1,
    value: (m, x, alpha) => m.where(m.greater(x, 0), x, m.mul(alpha, m.sub(m.exp(x), 1))),
    slope: (m, x, y, alpha) => m.where(m.greater(x, 0), 1, m.add(y, alpha)),
  },
  softsign: { value: (m, x) => m.div(x, m.add(1, m.abs(x))), slope: (m, x) => m.div(1, m.square(m.add(1, m.abs(x)))) },
  softplus: { value: (m, x) => m.softplus(x), slope: (m, x) => m.sigmoid(x) },
};

/**
 * The activations of a recurrent node, direction after direction; `defaults` are those of one direction. activation_alpha and activation_beta are
 * handed out, as the runtime does it, in order to the functions that have such a parameter.
 */
export function activationsOf(node: Node, defaults: readonly string[], directions: number): readonly (readonly Activation[])[] {
  const given = node.attributes.get('activations');
  const names = given?.type === 'strings' && given.value.length > 0 ? given.value : repeated(defaults, directions);
  const alphas = [...(floatsOf(node, 'activation_alpha') ?? [])];
  const betas = [...(floatsOf(node, 'activation_beta') ?? [])];
  const all = names.map((name): Activation => {
    const template = templates[name.toLowerCase()];
    if (template === undefined) {
      throw new UserError(
        `${describeNode(node)} uses the activation "${name}", which has no derivative rule`,
        `use one of: ${Object.keys(templates).join(', ')}`,
      );
    }
    const alpha = template.alpha === undefined ? 0 : (alphas.shift() ?? template.alpha);
    const beta = template.beta === undefined ? 0 : (betas.shift() ?? template.beta);
    return {
      value: (m, x) => template.value(m, x, alpha, beta),
      slope: (m, x, y) => template.slope(m, x, y, alpha, beta),
    };
  });
  return Array.from({ length: directions }, (_, d) => all.slice(d * defaults.length, (d + 1) * defaults.length));
}

const repeated = <T>(list: readonly T[], times: number): T[] => Array.from({ length: times }, () => list).flat();
