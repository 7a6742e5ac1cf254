/**
 * @file LSTM (Hochreiter & Schmidhuber 1997, as ONNX writes it: gates i, o, f and the candidate k; ' is the moment before):
 * i = s(z_i + P_i c'), f = s(z_f + P_f c'), k = tanh z_k, c = f c' + i k, o = s(z_o + P_o c), h = o tanh c, with z = x W^T + h' R^T + b.
 * The runtime's node tells h only: its gates are computed again for all moments at once, the cell states one after another.
 */
import { intOf } from '../../../onnx/graph.ts';
import type { Rule } from '../../rule.ts';
import { type Activation, activationsOf, clipped, type Gate, gated } from './activations.ts';
import { assemble, type Share } from './assemble.ts';
import { plus } from './recurrence.ts';
import { at, has, type Strand, strandsOf } from './strand.ts';

export const lstm: Rule = (dys, node, scene) => {
  if (dys.every((dy) => dy === undefined)) return [];
  const strands = strandsOf(node, scene, 4, dys);
  const functions = activationsOf(node, ['Sigmoid', 'Tanh', 'Tanh'], strands.length);
  const shares = strands.map((s, d) => {
    const [gate, candidate, out] = functions[d] as [Activation, Activation, Activation];
    return shareOf(s, { gate: clipped(gate, node), candidate: clipped(candidate, node), out });
  });
  return assemble(node, scene, strands, shares, 4);
};

interface Functions {
  readonly gate: Activation;
  readonly candidate: Activation;
  readonly out: Activation;
}

/** Values of every moment, [T, N, .]. */
interface Memory {
  /** i, o and f side by side. */
  readonly iof: Gate;
  readonly k: Gate;
  /** What is kept of c': f, or 1 - i where the node couples them. */
  readonly kept: string;
  readonly before: string;
  readonly after: string;
}

/**
 * With dh and dc the cotangents of h and c: dc gets dh o tanh'(c), then dz_i = dc k s', dz_o = dh tanh(c) s', dz_f = dc c' s', dz_k = dc i tanh';
 * dh' = dz R, dc' = dc f, and what the peepholes pass on. All factors are known beforehand for every moment.
 */
function shareOf(s: Strand, functions: Functions): Share {
  const { m, node } = s;
  const { g } = s.scene;
  const [pi, po, pf] = has(node, at.p) ? [0, 1, 2].map((k) => s.part(at.p, k, k + 1)) : [];
  const coupled = isCoupled(s);
  const { iof, k, kept, before, after } = memoryOf(s, functions);
  const [i, o] = thirds(s, iof.value);
  const out = gated(m, functions.out, after);
  const partners = [coupled ? m.sub(k.value, before) : k.value, out.value, coupled ? m.mul(0, before) : before, i!];
  const factors = m.mul(beside(s, partners), beside(s, [iof.slope, k.slope]));
  let [toCell, onward] = [m.mul(o!, out.slope), kept];
  if (pi !== undefined) {
    const [ki, ko, kf] = g.ops('Split', [factors], 4, { axis: 2, num_outputs: 4 });
    toCell = m.add(toCell, m.mul(po!, ko!));
    onward = m.add(onward, m.add(m.mul(pi, ki!), m.mul(pf!, kf!)));
  }
  const weights = s.part(at.r);
  const nothing = s.dh.each === undefined && s.dh.last === undefined;
  const { carried, made } = s.recur('against', {
    carried: [nothing ? s.zeros() : s.dh.last, s.dc.last],
    sequences: [s.dh.each, s.dc.each, toCell, onward, factors],
    step: (pen, [dhNext, dcNext], [dhHere, dcHere, a, f, factor]) => {
      const dh = plus(pen.m, dhNext, dhHere)!;
      const dc = plus(pen.m, pen.m.mul(dh, a!), dcNext, dcHere)!;
      const dz = pen.m.mul(pen.concat([dc, dh, dc, dc]), factor!);
      return { carried: [pen.matMul(dz, weights), pen.m.mul(dc, f!)], made: [dz] };
    },
  });
  const dz = made[0]!;
  const ofPeepholes = (): string => {
    const [di, dO, df] = g.ops('Split', [dz], 4, { axis: 2, num_outputs: 4 });
    const products = m.mul(beside(s, [di!, dO!, df!]), beside(s, [before, after, before]));
    return g.op('ReduceSum', [products, g.ints([0, 1])], { keepdims: 0 });
  };
  return { fromInput: dz, fromState: dz, h: carried[0]!, c: carried[1]!, p: ofPeepholes };
}

const isCoupled = (s: Strand): boolean => intOf(s.node, 'input_forget', 0) !== 0;
const beside = (s: Strand, parts: readonly string[]): string => s.scene.g.op('Concat', parts, { axis: 2 });
const thirds = (s: Strand, value: string): string[] => s.scene.g.ops('Split', [value], 3, { axis: 2, num_outputs: 3 });

/** What the node computed on its way. */
function memoryOf(s: Strand, { gate, candidate }: Functions): Memory {
  const { m, hidden } = s;
  const { g } = s.scene;
  const z = s.unpadded(s.moments(s.fromState(s.before, 0, 4, s.fromInput(s.bias())), 4 * hidden));
  const [ziof, zk] = g.ops('Split', [z, g.ints([3 * hidden, hidden])], 2, { axis: 2 }) as [string, string];
  const k = gated(m, candidate, zk);
  if (has(s.node, at.p)) return peeping(s, gate, ziof, k);
  const iof = gated(m, gate, ziof);
  const [i, , f] = thirds(s, iof.value);
  const kept = isCoupled(s) ? m.sub(1, i!) : f!;
  const { made } = s.recur('along', {
    carried: [s.initial(at.c)],
    sequences: [kept, m.mul(i!, k.value)],
    step: (pen, [c], [f, added]) => {
      const next = pen.m.add(pen.m.mul(f!, c!), added!);
      return { carried: [next], made: [c!, next] };
    },
  });
  return { iof, k, kept, before: made[0]!, after: made[1]! };
}

/** Where gates see the cell state they are found with it, moment by moment. */
function peeping(s: Strand, gate: Activation, ziof: string, k: Gate): Memory {
  const { m } = s;
  const [pi, po, pf] = [0, 1, 2].map((n) => s.part(at.p, n, n + 1)) as [string, string, string];
  const [zi, , zf] = thirds(s, ziof);
  const { made } = s.recur('along', {
    carried: [s.initial(at.c)],
    sequences: [zi, zf, k.value],
    step: (pen, [c], [zi, zf, k]) => {
      const open = (z: string, p: string): string => gate.value(pen.m, pen.m.add(z, pen.m.mul(p, c!)));
      const i = open(zi!, pi);
      const kept = isCoupled(s) ? pen.m.sub(1, i) : open(zf!, pf);
      const next = pen.m.add(pen.m.mul(kept, c!), pen.m.mul(i, k!));
      return { carried: [next], made: [c!, next] };
    },
  });
  const [before, after] = made as [string, string];
  const seen = beside(s, [m.mul(pi, before), m.mul(po, after), m.mul(pf, before)]);
  const iof = gated(m, gate, m.add(ziof, seen));
  const [i, , f] = thirds(s, iof.value);
  return { iof, k, kept: isCoupled(s) ? m.sub(1, i!) : f!, before, after };
}
