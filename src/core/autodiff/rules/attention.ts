/** @file Attention and the rotation of its positions (opset 23). The probabilities are computed again from queries and keys: the runtime's kernel keeps none. */
import { UserError } from '../../errors.ts';
import { describeNode, floatOf, intOf, type Node } from '../../onnx/graph.ts';
import { tensor } from '../../tensor/tensor.ts';
import { type Algebra, algebra, type Operand } from '../algebra.ts';
import type { Family, Rule, Scene } from '../rule.ts';
import { inputOf, sumTo } from './sizes.ts';

type Op = 'Attention' | 'RotaryEmbedding';

/** Which value the fourth output of Attention holds. */
const exposes = { scores: 0, capped: 1, biased: 2, probabilities: 3 } as const;

export const attention: Family<Op> = {
  Attention: (dys, node, scene) => throughAttention(dys, node, scene),

  // pairs of elements turned by an angle each: dx is dy turned back
  RotaryEmbedding: ([dy], node, { g, active }) => {
    if (dy === undefined) return [];
    const [, cosines, sines, ...positions] = node.inputs as [string, string, string, ...string[]];
    if (active(1) || active(2)) {
      throw new UserError(
        `${describeNode(node)}: its tables of cosines and sines depend on what is differentiated, and only its first input has a derivative rule`,
        'export the model with constant tables',
      );
    }
    const inputs = [dy, cosines, g.op('Neg', [sines]), ...positions];
    return [g.op('RotaryEmbedding', inputs, Object.fromEntries(node.attributes))];
  },
};

/** The sizes of heads, and the tensors of a node as [batch, heads, positions, width]. */
interface Parts {
  readonly m: Algebra;
  readonly queryHeads: number;
  readonly keyHeads: number;
  readonly q: string;
  /** With those of the past in front. */
  readonly k: string;
  readonly v: string;
  /** Of a head of queries or keys. */
  readonly width: number;
  readonly scale: number;
  readonly cap: number;
  /** Which scores take part, broadcast to [batch, heads, queries, keys]; undefined where all do. */
  readonly allowed: string | undefined;
  /** A mask to be added to the scores. */
  readonly bias: string | undefined;
}

const has = (node: Node, index: number): boolean => (node.inputs[index] ?? '') !== '';

function partsOf(node: Node, scene: Scene): Parts {
  const { g, dims } = scene;
  const [query, key, value] = [inputOf(node, 0), inputOf(node, 1), inputOf(node, 2)];
  const flat = dims(query).length === 3;
  const known = (size: number | null | undefined, what: string): number => {
    if (typeof size === 'number') return size;
    throw new UserError(
      `${describeNode(node)}: the ${what} is not fixed, and the derivative needs it`,
      'give the input a fixed size there',
    );
  };
  const queryHeads = known(flat ? intOf(node, 'q_num_heads') : dims(query)[1], 'number of query heads');
  const keyHeads = known(flat ? intOf(node, 'kv_num_heads') : dims(key)[1], 'number of key heads');
  const width = known(dims(query).at(-1), 'size of a head') / (flat ? queryHeads : 1);
  const withPast = (now: string, past: number): string =>
    has(node, past) ? g.op('Concat', [inputOf(node, past), now], { axis: 2 }) : now;
  const mask = has(node, 3) ? inputOf(node, 3) : undefined;
  const isBoolean = mask !== undefined && scene.dtype(mask) === 'bool';
  const wanted = [isBoolean ? mask : undefined, ...positionsInReach(node, scene, flat)].filter((p) => p !== undefined);
  return {
    m: algebra(scene, query),
    queryHeads,
    keyHeads,
    q: flat ? splitHeads(scene, query, queryHeads) : query,
    k: withPast(flat ? splitHeads(scene, key, keyHeads) : key, 4),
    v: withPast(flat ? splitHeads(scene, value, keyHeads) : value, 5),
    width,
    scale: floatOf(node, 'scale', 0) || 1 / Math.sqrt(width),
    cap: floatOf(node, 'softcap', 0),
    allowed: wanted.length === 0 ? undefined : wanted.reduce((a, b) => g.op('And', [a, b])),
    bias: isBoolean ? undefined : mask,
  };
}

/** [batch, positions, heads x width] to [batch, heads, positions, width], and back. */
const splitHeads = ({ g }: Scene, value: string, heads: number): string =>
  g.op('Transpose', [g.op('Reshape', [value, g.ints([0, 0, heads, -1])])], { perm: [0, 2, 1, 3] });
const joinHeads = ({ g }: Scene, value: string): string =>
  g.op('Reshape', [g.op('Transpose', [value], { perm: [0, 2, 1, 3] }), g.ints([0, 0, -1])]);

/** Conditions on the key's position j for the query's position i: j <= i + offset where the attention is causal, and j below the number of valid keys. */
function positionsInReach(node: Node, scene: Scene, flat: boolean): string[] {
  const { g } = scene;
  const [zero, one] = [g.op('Squeeze', [g.ints([0])]), g.op('Squeeze', [g.ints([1])])];
  const count = (index: number, axis: number): string =>
    g.op('Squeeze', [g.op('Shape', [inputOf(node, index)], { start: axis, end: axis + 1 })]);
  const axis = flat ? 1 : 2;
  const past = has(node, 4) ? count(4, 2) : undefined;
  const valid = has(node, 6) ? g.op('Reshape', [inputOf(node, 6), g.ints([-1, 1, 1, 1])]) : undefined;
  const queries = count(0, axis);
  const keys = past === undefined ? count(1, axis) : g.op('Add', [past, count(1, axis)]);
  const j = g.op('Range', [zero, keys, one]);
  const conditions: string[] = [];
  if (intOf(node, 'is_causal', 0) === 1) {
    const offset = past ?? (valid === undefined ? zero : g.op('Sub', [valid, queries]));
    const i = g.op('Unsqueeze', [g.op('Range', [zero, queries, one]), g.ints([1])]);
    conditions.push(g.op('LessOrEqual', [j, g.op('Add', [i, offset])]));
  }
  if (valid !== undefined) conditions.push(g.op('Less', [j, valid]));
  return conditions;
}

/**
 * P = softmax(cap tanh(s Q K^T / cap) + mask), Y = P V. With Z the scores at each stage:
 * dV = P^T dY, dP = dY V^T, dZ = P (dP - sum dP P), through the cap dZ (1 - tanh^2), dQ = s dZ K, dK = s dZ^T Q.
 * Heads of queries that share one head of keys are stacked along the positions, so the products sum over them.
 */
const throughAttention: Rule = (dys, node, scene) => {
  const [dy, dPresentKey, dPresentValue, exposed] = dys;
  const { g, active } = scene;
  const parts = partsOf(node, scene);
  const { m, queryHeads, keyHeads, q, k, v, width, scale, cap, allowed, bias } = parts;
  const flat = scene.dims(inputOf(node, 0)).length === 3;
  const swapped = (value: string): string => g.op('Transpose', [value], { perm: [0, 1, 3, 2] });
  const regrouped = (value: string, heads: number): string =>
    queryHeads === keyHeads ? value : g.op('Reshape', [value, g.ints([0, heads, -1, 0])]);
  const stacked = (value: string): string => regrouped(value, keyHeads);
  const apart = (value: string): string => regrouped(value, queryHeads);

  // the runtime takes a factor of one element into the matrix product, as a float32
  const factor = (value: number): Operand =>
    m.dtype === 'float64' ? g.constant(tensor('float64', [width], new Float64Array(width).fill(value))) : value;
  const scaledQ = m.mul(stacked(q), factor(scale));
  /** Divided by the cap, where there is one. */
  let scores: string | undefined;
  let bent: string | undefined;
  let probabilities: string | undefined;
  const mode = intOf(node, 'qk_matmul_output_mode', 0);
  const exposedAt = (stage: keyof typeof exposes): string | undefined => (mode === exposes[stage] ? exposed : undefined);
  const needsProbabilities = dy !== undefined || exposedAt('probabilities') !== undefined;
  const needsBend = cap > 0 && (needsProbabilities || exposedAt('capped') !== undefined || exposedAt('biased') !== undefined);
  if (needsProbabilities || needsBend) {
    const rows = cap > 0 ? m.mul(stacked(q), factor(scale / cap)) : scaledQ;
    scores = apart(g.op('MatMul', [rows, swapped(k)]));
  }
  if (needsBend) bent = m.tanh(scores!);
  if (needsProbabilities) {
    const capped = bent === undefined ? scores! : m.mul(cap, bent);
    const biased = bias === undefined ? capped : m.add(capped, bias);
    // where no key takes part the runtime puts out zeros, not the softmax of equals
    probabilities =
      allowed === undefined
        ? g.op('Softmax', [biased], { axis: -1 })
        : m.where(allowed, g.op('Softmax', [m.where(allowed, biased, -1e30)], { axis: -1 }), 0);
  }

  const dY = dy === undefined ? undefined : stacked(flat ? splitHeads(scene, dy, queryHeads) : dy);
  const add = (...cotangents: readonly (string | undefined)[]): string | undefined =>
    cotangents
      .filter((c) => c !== undefined)
      .reduce<string | undefined>((a, b) => (a === undefined ? b : m.add(a, b)), undefined);
  const dP = add(dY === undefined ? undefined : apart(g.op('MatMul', [dY, swapped(v)])), exposedAt('probabilities'));
  const throughSoftmax = dP === undefined ? undefined : m.mul(probabilities!, m.sub(dP, m.sum(m.mul(dP, probabilities!), [-1])));
  const dBiased = add(throughSoftmax, exposedAt('biased'));
  const dCapped = add(dBiased, exposedAt('capped'));
  const throughCap = dCapped === undefined || bent === undefined ? dCapped : m.mul(dCapped, m.sub(1, m.square(bent)));
  const dScores = add(throughCap, exposedAt('scores'));
  const dZ = dScores === undefined ? undefined : stacked(dScores);

  const dK = add(dZ === undefined ? undefined : g.op('MatMul', [swapped(dZ), scaledQ]), dPresentKey);
  const dV = add(dY === undefined ? undefined : g.op('MatMul', [swapped(stacked(probabilities!)), dY]), dPresentValue);
  const joined = (value: string | undefined): string | undefined =>
    value === undefined || !flat ? value : joinHeads(scene, value);
  const [dPastKey, dKey] = apartFromPast(dK, node, 4, scene);
  const [dPastValue, dValue] = apartFromPast(dV, node, 5, scene);
  const toQueries = (): string => apart(m.mul(g.op('MatMul', [dZ!, k]), factor(scale)));
  // summed wherever the mask has size 1
  const toMask = (): string => sumTo(scene, dBiased!, [null, null, null, null], inputOf(node, 3));
  return [
    active(0) && dZ !== undefined ? joined(toQueries()) : undefined,
    active(1) ? joined(dKey) : undefined,
    active(2) ? joined(dValue) : undefined,
    active(3) && bias !== undefined && dBiased !== undefined ? toMask() : undefined,
    active(4) ? dPastKey : undefined,
    active(5) ? dPastValue : undefined,
  ];
};

/** A cotangent of keys or values split into those of the past and those of now. */
function apartFromPast(cotangent: string | undefined, node: Node, index: number, { g }: Scene): readonly (string | undefined)[] {
  if (cotangent === undefined || !has(node, index)) return [undefined, cotangent];
  const count = g.op('Shape', [inputOf(node, index)], { start: 2, end: 3 });
  const end = g.ints([2 ** 31 - 1]);
  return [g.op('Slice', [cotangent, g.ints([0]), count, g.ints([2])]), g.op('Slice', [cotangent, count, end, g.ints([2])])];
}
