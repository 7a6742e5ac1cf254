/**
 * @file GRU (Cho et al. 2014, arXiv 1406.1078, as ONNX writes it: gates z, r and the candidate n; ' is the moment before):
 * z, r = s(x W^T + h' R^T + b), h = (1 - z) n + z h', and the candidate, by linear_before_reset,
 * n = tanh(x W_n^T + (r h') R_n^T + b) or n = tanh(x W_n^T + b_w + r (h' R_n^T + b_r)).
 */
import { intOf } from '../../../onnx/graph.ts';
import type { Rule } from '../../rule.ts';
import { type Activation, activationsOf, clipped, gated } from './activations.ts';
import { assemble, type Share } from './assemble.ts';
import { plus } from './recurrence.ts';
import { at, has, type Strand, strandsOf } from './strand.ts';

export const gru: Rule = (dys, node, scene) => {
  if (dys.every((dy) => dy === undefined)) return [];
  const strands = strandsOf(node, scene, 3, dys);
  const functions = activationsOf(node, ['Sigmoid', 'Tanh'], strands.length);
  const resetLast = intOf(node, 'linear_before_reset', 0) !== 0;
  const shares = strands.map((s, d) => {
    const [gate, candidate] = functions[d]!.map((f) => clipped(f, node)) as [Activation, Activation];
    return (resetLast ? resettingLast : resettingFirst)(s, gate, candidate);
  });
  return assemble(node, scene, strands, shares, 3);
};

/** n from r (h' R^T): with dh the cotangent of h, dz = dh (h' - n) s', dn = dh (1 - z) tanh', dq = dn r for q = h' R_n^T + b_r, dr = dn q s'. */
function resettingLast(s: Strand, gate: Activation, candidate: Activation): Share {
  const { m, hidden } = s;
  const { g } = s.scene;
  const biases = has(s.node, at.b) ? [s.part(at.b, 0, 3), s.part(at.b, 3, 6)] : [];
  const [xzr, xn] = parts(s, s.unpadded(s.moments(s.fromInput(biases[0]), 3 * hidden)));
  const [hzr, q] = parts(s, s.moments(s.fromState(s.before, 0, 3, biases[1]), 3 * hidden));
  const zr = gated(m, gate, m.add(xzr, s.unpadded(hzr)));
  const [z, r] = halves(s, zr.value);
  const n = gated(m, candidate, m.add(xn, m.mul(r, q)));
  const [zSlope, rSlope] = halves(s, zr.slope);
  const ofN = m.mul(m.sub(1, z), n.slope);
  const factors = g.op('Concat', [m.mul(m.sub(s.before, n.value), zSlope), m.mul(m.mul(ofN, q), rSlope), m.mul(ofN, r)], {
    axis: 2,
  });
  const weights = s.part(at.r);
  const { carried, made } = s.recur('against', {
    carried: [s.dh.last ?? (s.dh.each === undefined ? s.zeros() : undefined)],
    sequences: [s.dh.each, z, factors],
    step: (pen, [next], [here, z, factor]) => {
      const dh = plus(pen.m, next, here)!;
      const dz = pen.m.mul(pen.concat([dh, dh, dh]), factor!);
      return { carried: [pen.m.add(pen.m.mul(dh, z!), pen.matMul(dz, weights))], made: [dz, dh] };
    },
  });
  const [fromState, dh] = made as [string, string];
  const fromInput = g.op('Concat', [parts(s, fromState)[0], m.mul(dh, ofN)], { axis: 2 });
  return { fromInput, fromState, h: carried[0]! };
}

/** n from (r h') R^T: with dh the cotangent of h, dz = dh (h' - n) s', dn = dh (1 - z) tanh', dr = (dn R_n) h' s'. */
function resettingFirst(s: Strand, gate: Activation, candidate: Activation): Share {
  const { m, hidden } = s;
  const { g } = s.scene;
  const [xzr, xn] = parts(s, s.unpadded(s.moments(s.fromInput(s.bias()), 3 * hidden)));
  const hzr = s.unpadded(s.moments(s.fromState(s.before, 0, 2, undefined), 2 * hidden));
  const zr = gated(m, gate, m.add(xzr, hzr));
  const [z, r] = halves(s, zr.value);
  const reset = m.mul(r, s.before);
  const n = gated(m, candidate, m.add(xn, s.moments(s.fromState(reset, 2, 3, undefined), hidden)));
  const [zSlope, rSlope] = halves(s, zr.slope);
  const [ofZ, ofR, ofN] = [m.mul(m.sub(s.before, n.value), zSlope), m.mul(s.before, rSlope), m.mul(m.sub(1, z), n.slope)];
  const [gates, candidates] = [s.part(at.r, 0, 2), s.part(at.r, 2, 3)];
  const { carried, made } = s.recur('against', {
    carried: [s.dh.last ?? (s.dh.each === undefined ? s.zeros() : undefined)],
    sequences: [s.dh.each, z, r, ofZ, ofR, ofN],
    step: (pen, [next], [here, z, r, ofZ, ofR, ofN]) => {
      const dh = plus(pen.m, next, here)!;
      const dn = pen.m.mul(dh, ofN!);
      const dReset = pen.matMul(dn, candidates);
      const dzr = pen.concat([pen.m.mul(dh, ofZ!), pen.m.mul(dReset, ofR!)]);
      const direct = pen.m.add(pen.m.mul(dh, z!), pen.m.mul(dReset, r!));
      return { carried: [pen.m.add(direct, pen.matMul(dzr, gates))], made: [pen.concat([dzr, dn])] };
    },
  });
  const all = made[0]!;
  const ofWeights = (): string => {
    const [dzr, dn] = parts(s, all);
    const product = (dz: string, count: number, states: string): string =>
      g.op('Gemm', [s.rows(dz, count * hidden), s.rows(states, hidden)], { transA: 1 });
    return g.op('Concat', [product(dzr, 2, s.before), product(dn, 1, reset)], { axis: 0 });
  };
  return { fromInput: all, fromState: all, ofR: ofWeights, h: carried[0]! };
}

/** z and r together, and n. */
const parts = (s: Strand, value: string): [string, string] => {
  const { g } = s.scene;
  return g.ops('Split', [value, g.ints([2 * s.hidden, s.hidden])], 2, { axis: 2 }) as [string, string];
};
const halves = (s: Strand, value: string): [string, string] =>
  s.scene.g.ops('Split', [value], 2, { axis: 2, num_outputs: 2 }) as [string, string];
