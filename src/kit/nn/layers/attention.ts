/** @file Self-attention and the transformer's encoder block (Vaswani et al. 2017, arXiv 1706.03762), over x [N, T, E]. Names and layouts are PyTorch's. */
import { f32 } from '../../../core/tensor/tensor.ts';
import { filled, glorot } from '../initialisers.ts';
import { chain, type Layer, type Net, named, type Signal } from '../net.ts';
import { gelu } from './activations.ts';
import { dense } from './dense.ts';
import { dropout } from './dropout.ts';
import { layerNorm } from './norms.ts';

export interface AttentionOptions {
  /** Whether a moment sees only itself and those before. */
  readonly causal?: boolean;
  /** Share of the attention weights dropped in training. */
  readonly dropout?: number;
}

export const attentionDefaults = { causal: false, dropout: 0 } as const;

/**
 * Every moment's weighted mean over all: softmax(q k^T / sqrt(E / heads)) v per head. Parameters `in_proj_weight` [3 E, E] (q, k, v), `in_proj_bias`,
 * `out_proj.weight` [E, E], `out_proj.bias`.
 */
export const selfAttention =
  (heads: number, options: AttentionOptions = {}): Layer =>
  (net, x) => {
    const { causal, dropout: p } = { ...attentionDefaults, ...options };
    const { g } = net;
    const [moments, width] = x.shape as [number, number];
    if (x.shape.length !== 2 || width % heads !== 0) throw new Error(`${heads} heads cannot share [${x.shape}]`);
    const size = width / heads;
    const weight = net.parameter('in_proj_weight', [3 * width, width], glorot);
    const product = g.op('MatMul', [x.name, g.op('Transpose', [weight], { perm: [1, 0] })]);
    const joined = g.op('Add', [product, net.parameter('in_proj_bias', [3 * width], filled(0))]);
    const [q, k, v] = g.ops('Split', [joined], 3, { axis: 2, num_outputs: 3 });
    const headsOf = (value: string, perm: readonly number[]): string =>
      g.op('Transpose', [g.op('Reshape', [value, g.ints([-1, moments, heads, size])])], { perm });
    const query = g.op('Mul', [headsOf(q!, [0, 2, 1, 3]), g.number(1 / Math.sqrt(size))]);
    const match = g.op('MatMul', [query, headsOf(k!, [0, 2, 3, 1])]);
    const seen = causal ? g.op('Add', [match, g.constant(hidden(moments))]) : match;
    const share = g.op('Softmax', [seen], { axis: -1 });
    const kept = named('dropout', dropout(p))(net, { name: share, shape: [heads, moments, moments] });
    const mixed = g.op('Transpose', [g.op('MatMul', [kept.name, headsOf(v!, [0, 2, 1, 3])])], { perm: [0, 2, 1, 3] });
    const back = { name: g.op('Reshape', [mixed, g.ints([-1, moments, width])]), shape: x.shape };
    return named('out_proj', dense(width, { initialise: glorot }))(net, back);
  };

/** What is added to hide the future: far below any score, and a number, so that no difference of infinities can arise. */
const hidden = (moments: number) =>
  f32(
    Float32Array.from({ length: moments * moments }, (_, i) => (i % moments > Math.floor(i / moments) ? -1e30 : 0)),
    [moments, moments],
  );

export interface EncoderOptions extends AttentionOptions {
  /** 'pre': normalised before each half; 'post': after adding, as in the paper. */
  readonly norm?: 'pre' | 'post';
  /** Width of the inner layer; 4 E by default. */
  readonly inner?: number;
  readonly activation?: Layer;
}

/** Attention, then two dense layers moment by moment, both added to what goes in. Scopes `self_attn`, `linear1`, `linear2`, `norm1`, `norm2`. */
export const encoderBlock =
  (heads: number, options: EncoderOptions = {}): Layer =>
  (net, x) => {
    const width = x.shape.at(-1)!;
    const { norm = 'pre', inner = 4 * width, activation = gelu, dropout: p = 0, causal = false } = options;
    const drop = (name: string): Layer => named(name, dropout(p));
    const attend = chain(named('self_attn', selfAttention(heads, { causal, dropout: p })), drop('dropout1'));
    const think = chain(
      named('linear1', dense(inner, { initialise: glorot })),
      activation,
      drop('dropout'),
      named('linear2', dense(width, { initialise: glorot })),
      drop('dropout2'),
    );
    const [first, second] = [named('norm1', layerNorm()), named('norm2', layerNorm())];
    const half = (layer: Layer, normal: Layer, value: Signal): Signal =>
      norm === 'pre' ? sum(net, value, layer(net, normal(net, value))) : normal(net, sum(net, value, layer(net, value)));
    return half(think, second, half(attend, first, x));
  };

const sum = ({ g }: Net, a: Signal, b: Signal): Signal => ({ name: g.op('Add', [a.name, b.name]), shape: a.shape });
