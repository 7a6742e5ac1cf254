/** @file Recurrent layers over x [N, T, C]. Their weights are kept as ONNX's nodes read them: W [D, gates H, C], R [D, gates H, H] and B, D directions. */
import { zeros } from '../../../core/tensor/tensor.ts';
import { eachPart, filled, glorot, type Initialiser, orthogonal } from '../initialisers.ts';
import type { Layer, Net } from '../net.ts';

export interface RecurrentOptions {
  /** A second set of weights reads time backwards; its results stand behind those of the first. */
  readonly bidirectional?: boolean;
  /** 'sequence': the states of every moment, [N, T, D H]; 'last': the state each direction ends with, [N, D H]. */
  readonly output?: 'sequence' | 'last';
  /** 'both': B [D, 2 gates H], the biases of the input's and of the state's product; 'input': B [D, gates H], the input's alone, as Keras' LSTM has. */
  readonly biases?: 'both' | 'input';
  /** First values of one direction's W and R. */
  readonly initialise?: Initialiser;
  readonly initialiseState?: Initialiser;
}

export const recurrentDefaults = {
  bidirectional: false,
  output: 'last',
  biases: 'both',
  initialise: glorot,
  initialiseState: orthogonal(),
} as const;

interface Kind {
  readonly op: 'LSTM' | 'GRU' | 'RNN';
  readonly gates: number;
  readonly attributes?: Readonly<Record<string, number>>;
  readonly bias: Initialiser;
}

const recurrent =
  (units: number, { op, gates, attributes = {}, bias }: Kind, options: RecurrentOptions): Layer =>
  (net, x) => {
    const { bidirectional, output, biases, initialise, initialiseState } = { ...recurrentDefaults, ...options };
    const { g } = net;
    const [moments, channels, ...more] = x.shape;
    if (channels === undefined || more.length > 0) throw new Error(`a recurrent layer reads [T, C], and was given [${x.shape}]`);
    const directions = bidirectional ? 2 : 1;
    const rows = gates * units;
    const weights = net.parameter('W', [directions, rows, channels], eachPart(initialise));
    const state = net.parameter('R', [directions, rows, units], eachPart(initialiseState));
    const timeFirst = g.op('Transpose', [x.name], { perm: [1, 0, 2] });
    const [all, last] = g.ops(op, [timeFirst, weights, state, biasOf(net, biases, [directions, rows], bias)], 2, {
      hidden_size: units,
      direction: bidirectional ? 'bidirectional' : 'forward',
      ...attributes,
    });
    // [T, D, N, H] and [D, N, H]
    if (output === 'sequence') {
      const shape = [moments!, directions * units];
      const moved = g.op('Transpose', [all!], { perm: [2, 0, 1, 3] });
      return { name: g.op('Reshape', [moved, g.ints([-1, ...shape])]), shape };
    }
    const moved = g.op('Transpose', [last!], { perm: [1, 0, 2] });
    return { name: g.op('Reshape', [moved, g.ints([-1, directions * units])]), shape: [directions * units] };
  };

/** The node reads both biases side by side. */
function biasOf(net: Net, biases: 'both' | 'input', [directions, rows]: [number, number], first: Initialiser): string {
  const { g } = net;
  const both: Initialiser = (dims, random) => {
    const values = new Float32Array(2 * rows);
    values.set(first([rows], random));
    return dims[0] === 2 * rows ? values : values.subarray(0, rows);
  };
  const width = biases === 'both' ? 2 * rows : rows;
  const own = net.parameter('B', [directions, width], eachPart(both));
  return biases === 'both' ? own : g.op('Concat', [own, g.constant(zeros('float32', [directions, rows]))], { axis: 1 });
}

/**
 * Long short-term memory (Hochreiter and Schmidhuber 1997). Rows of the weights in the order of ONNX: input, output, forget, candidate. The forget gate's
 * first bias is 1 (Jozefowicz et al. 2015).
 */
export const lstm = (units: number, options: RecurrentOptions = {}): Layer =>
  recurrent(
    units,
    {
      op: 'LSTM',
      gates: 4,
      bias: ([rows]) => Float32Array.from({ length: rows! }, (_, i) => Number(Math.floor(i / units) === 2)),
    },
    options,
  );

/**
 * Gated recurrent unit (Cho et al. 2014, arXiv 1406.1078). Rows of the weights: update, reset, candidate. The reset gate acts on the state's product, as in
 * PyTorch and Keras, or with `resetAfter: false` on the state itself, as in the paper.
 */
export const gru = (
  units: number,
  { resetAfter = true, ...options }: RecurrentOptions & { readonly resetAfter?: boolean } = {},
): Layer =>
  recurrent(units, { op: 'GRU', gates: 3, attributes: { linear_before_reset: Number(resetAfter) }, bias: filled(0) }, options);

/** h = tanh(x W^T + h' R^T + b), h' the moment before. */
export const rnn = (units: number, options: RecurrentOptions = {}): Layer =>
  recurrent(units, { op: 'RNN', gates: 1, bias: filled(0) }, options);
